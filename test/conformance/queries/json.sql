-- arrow
SELECT metadata->'ip' AS ip, metadata->'user'->'name' AS name FROM events WHERE user_id = 4;

-- double-arrow
SELECT metadata->>'ip' AS ip, metadata->'user'->>'name' AS name FROM events WHERE user_id = 4;

-- cast-then-arrow
SELECT metadata::JSON->>'ip' AS ip, count(*) AS n FROM events GROUP BY ip;

-- path
SELECT metadata->>'$.user.name' AS name, metadata->'$.user.roles[0]' AS role FROM events WHERE user_id = 2;

-- extract-string
SELECT json_extract_string(metadata, '$.user.name') AS name, json_extract(metadata, '$.retries')::INT AS r FROM events;

-- extract-several
SELECT json_extract_string(metadata, ['ip', '$.retries']) AS both FROM events WHERE user_id = 1;

-- array-elements
SELECT tags->0 AS first, tags->>1 AS second, json_array_length(tags) AS n FROM events WHERE user_id = 3;

-- element-from-the-end
SELECT tags->>-1 AS last FROM events WHERE user_id = 3;

-- missing-key
SELECT metadata->'nothing' AS m, metadata->>'$.user.nothing' AS t, count(*) AS c FROM events GROUP BY ALL;

-- key-that-is-null
SELECT metadata->'note' AS n, metadata->>'note' AS t, metadata->'nothing' AS m, count(*) AS c FROM events GROUP BY ALL;

-- number-from-text
SELECT sum((metadata->>'retries')::INT) AS s, avg(CAST(metadata->>'ratio' AS DOUBLE)) AS a FROM events;

-- in-where
SELECT count(*) AS n FROM events WHERE metadata->>'ip' = '10.0.0.3' AND (metadata->>'retries')::INT > 1;

-- in-order-by, in order
SELECT metadata->>'ip' AS ip, time FROM events ORDER BY metadata->>'ip', time LIMIT 10;

-- whole-documents
SELECT metadata, tags FROM events;

-- types-of-values
SELECT json_type(metadata) AS a, json_type(metadata, '$.user.roles') AS b, json_type(metadata, '$.retries') AS c, json_type(metadata->'ip') AS d FROM events WHERE user_id = 4;

-- keys
SELECT DISTINCT json_keys(metadata) AS k FROM events;

-- contains
SELECT count(*) AS n FROM events WHERE json_contains(tags, '"red"');

-- valid
SELECT w, json_valid(w) AS v FROM words;

-- make-objects-and-arrays
SELECT json_object('id', id, 'name', name) AS o, json_array(id, plan, true, NULL) AS a, to_json({'x': id}) AS s FROM users;

-- group-into-json
SELECT json_group_array(id) AS a, json_group_object(name, id) AS o FROM (SELECT * FROM users ORDER BY id);

-- structure
SELECT json_structure('{"a": 1, "b": ["x"], "c": null}') AS s;

-- transform
SELECT from_json('{"a": 1, "b": [1, 2]}', '{"a": "INTEGER", "b": ["BIGINT"]}') AS t;

-- transform-column
SELECT json_transform(metadata, '{"ip": "VARCHAR", "retries": "INTEGER"}') AS t FROM events WHERE user_id = 5;

-- unnest-a-json-array
SELECT event_type, unnest(from_json(tags, '["VARCHAR"]')) AS tag FROM events WHERE user_id = 6;

-- cast-json-to-list
SELECT tag, count(*) AS n FROM (SELECT unnest(tags::JSON::VARCHAR[]) AS tag FROM events) GROUP BY tag;

-- cast-json-to-struct
SELECT ('{"a": 1, "b": "x"}'::JSON::STRUCT(a INT, b VARCHAR)).b AS b;

-- quoting
SELECT json_quote('a"b') AS a, '{"k": "tab\there ä \u00e4"}'::JSON->>'k' AS b, '{"a.b": 1}'::JSON->'a.b' AS c;

-- big-numbers-in-json
SELECT '{"n": 9223372036854775807, "f": 1.25, "z": -0}'::JSON->'n' AS n, ('{"n": 9223372036854775807}'::JSON->>'n')::BIGINT AS m;

-- merge-patch
SELECT json_merge_patch('{"a": 1}', '{"a": {"b": 2}}') AS m;

-- merge-patch-of-other-keys
SELECT json_merge_patch('{"a": 1, "b": 2}', '{"b": null, "c": 3}') AS m;

-- deep
SELECT '{"a": {"b": [{"c": [1, {"d": "deep"}]}]}}'::JSON->>'$.a.b[0].c[1].d' AS d;

-- wildcard
SELECT json_extract('[{"a": 1}, {"a": 2}]', '$[*].a') AS a;

-- distinct-values
SELECT list_sort(array_agg(DISTINCT metadata->>'ip')) AS ips FROM events WHERE event_type = 'login';

-- bad-json, refused
SELECT 'not json'::JSON->>'a';

-- keys-of-text-that-is-not-json, refused
SELECT json_keys(w) FROM words;
