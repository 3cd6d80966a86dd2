// A Durable Object's storage as the protocol's SqlStore and Alarm.

import type { Alarm, SqlStore, SqlValue } from "#lib/base/ports.ts";

export function sqlStore(storage: DurableObjectStorage): SqlStore {
  return {
    exec<Row>(sql: string, ...parameters: SqlValue[]): Row[] {
      return storage.sql.exec(sql, ...parameters).toArray() as Row[];
    },
    transact: (work) => storage.transactionSync(work),
    sync: () => storage.sync(),
  };
}

/**
 * Not awaited: a write without an await between belongs to the same atomic commit, and a failed
 * commit resets the object, whose constructor arms the alarm again.
 */
export function alarm(storage: DurableObjectStorage): Alarm {
  return {
    setMs: (atMs) => void storage.setAlarm(atMs),
  };
}
