// The supervisor's own messages: on standard error, in the form of workerd's lines beside them.

export function log(level: "info" | "warn" | "error", message: string): void {
  const line = process.stderr.isTTY
    ? `${message}`
    : JSON.stringify({ timestamp: new Date().toISOString(), level, message });
  process.stderr.write(`${line}\n`);
}
