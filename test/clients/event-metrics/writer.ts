// A process that records into a metrics file: `writer.ts PATH LABEL COUNT`. With a count of 0 it
// goes on until it is killed, and prints how many points are flushed.

import { MetricConnection } from "../../../clients/event-metrics/metric-connection.ts";

const [path, label, count] = process.argv.slice(2) as [string, string, string];
const connection = new MetricConnection(path);

if (Number(count) > 0) {
  for (let i = 0; i < Number(count); i++) {
    connection.increment("counted", 1, { labels: { writer: label } });
    if (i % 500 === 0) await connection.flush();
  }
  await connection.close();
} else {
  for (let i = 0; ; i++) {
    connection.observe("written", i);
    connection.increment("counted");
    if (i % 1_000 !== 999) continue;
    await connection.flush();
    process.stdout.write(`${i + 1}\n`);
  }
}
