"""Arc's own Python client, unmodified, against a running Sluice.

Usage: arc_python.py PORT TOKEN. Prints one line per thing that works and fails on the first that does not.
"""

import sys
import time

from arc_client import ArcClient

port, token = int(sys.argv[1]), sys.argv[2]


def check(what, condition):
    if not condition:
        raise SystemExit(f"FAILED: {what}")
    print(f"ok: {what}")


with ArcClient(host="127.0.0.1", port=port, token=token, database="interop") as client:
    check("health", client.health().status == "ok")
    check("auth.verify", client.auth.verify().valid)

    now = int(time.time() * 1_000_000)
    columns = {
        "time": [now, now + 1, now + 2],
        "host": ["server01", "server01", "server02"],
        "usage": [45.2, 47.8, None],
        "ok": [True, False, True],
    }
    client.write.write_columnar(measurement="cpu", columns=columns)
    rows = client.query.query("SELECT host, usage, ok FROM cpu ORDER BY time")
    check("write_columnar and query", rows.data == [["server01", 45.2, True], ["server01", 47.8, False], ["server02", None, True]])

    records = [
        {"measurement": "mem", "timestamp": now, "tags": {"host": "a"}, "fields": {"used": 1.5, "free": 2}},
        {"measurement": "mem", "timestamp": now + 1, "tags": {"host": "b"}, "fields": {"used": 2.5}},
        {"measurement": "disk", "timestamp": now, "tags": {"host": "a"}, "fields": {"used": 7}},
    ]
    client.write.write_records(records)
    check("write_records", client.query.query("SELECT host, used, free FROM mem ORDER BY host").data == [["a", 1.5, 2], ["b", 2.5, None]])
    check("several measurements in one request", client.query.query("SELECT count(*) FROM disk").data == [[1]])

    client.write.write_line_protocol('weather,place=a\\ b temp=21.5,note="x,\\"y\\"",n=3i,on=true')
    rows = client.query.query("SELECT place, temp, note, n, \"on\" FROM weather")
    check("write_line_protocol", rows.data == [["a b", 21.5, 'x,"y"', 3, True]])

    with client.write.buffered(batch_size=10) as writer:
        for i in range(25):
            writer.write({"measurement": "buffered", "timestamp": now + i, "tags": {}, "fields": {"i": i}})
    check("buffered writer", client.query.query("SELECT count(*), sum(i) FROM buffered").data == [[25, 300]])

    table = client.query.query_arrow("SELECT time, host, usage FROM cpu ORDER BY time")
    check("query_arrow", table.num_rows == 3 and table.column("host").to_pylist()[2] == "server02")
    frame = client.query.query_pandas("SELECT host, avg(usage) AS usage, count(*) AS n, sum(n) AS s FROM (SELECT *, 1 AS n FROM cpu) GROUP BY host ORDER BY host")
    check("query_pandas", list(frame["n"]) == [2, 1] and list(frame["s"]) == [2, 1])
    check("query_polars", client.query.query_polars("SELECT * FROM cpu").height == 3)
    check("estimate", client.query.estimate("SELECT * FROM cpu").estimated_rows == 3)
    names = {one.measurement for one in client.query.list_measurements()}
    check("list_measurements", {"cpu", "mem", "disk", "weather", "buffered"} <= names)
    check("list_databases", "interop" in client.query.list_databases())
    check("show_tables", "cpu" in [row[1] for row in client.query.show_tables("interop").data])

    made = client.auth.create_token("interop-test", permissions=["read"], expires_in="24h")
    check("create_token", bool(made.token))
    made_id = next(one.id for one in client.auth.list_tokens() if one.name == "interop-test")
    check("get_token", client.auth.get_token(made_id).permissions == ["read"])
    client.auth.update_token(made_id, permissions=["read", "write"])
    check("update_token", client.auth.get_token(made_id).permissions == ["read", "write"])
    check("rotate_token", client.auth.rotate_token(made_id) != made.token)
    client.auth.revoke_token(made_id)
    client.auth.delete_token(made_id)
    check("revoke and delete", made_id not in [one.id for one in client.auth.list_tokens()])
