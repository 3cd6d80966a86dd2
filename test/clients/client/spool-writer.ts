// A process that records into a spool, until it is killed: see spool.test.ts.

import { SluiceClient } from "../../../clients/client/client.ts";

const [url, token, spoolFolder, batchCount, batchRows] = process.argv.slice(2);
const client = new SluiceClient({
  url: url!,
  token: token!,
  spoolFolder: spoolFolder!,
  batchRowsMax: Number(batchRows),
  onError: (error) => console.error(error),
});
const ids = Array.from({ length: Number(batchCount) * Number(batchRows) }, (_, id) => ({ id }));
await client.write("spooled", ids);
setInterval(() => {}, 1_000);
