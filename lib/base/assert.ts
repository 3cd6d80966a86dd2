// For our own mistakes. What a caller can get wrong is a SluiceError, not an assertion.

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}
