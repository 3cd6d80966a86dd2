// A trace as text: the tree of its spans, with when each began and how long it took.
//
//   POST /api/v1/write/msgpack              0.0 ms    12.3 ms  front-door
//   ├─ read                                 0.2 ms     0.1 ms  front-door

export interface DrawnSpan {
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly component: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** Spans of one trace. Those whose parent is not among them are roots. */
export function drawTrace(spans: readonly DrawnSpan[]): string {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const sorted = spans.toSorted((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
  const children = Map.groupBy(sorted, ({ parentSpanId }) =>
    parentSpanId !== null && ids.has(parentSpanId) ? parentSpanId : "",
  );
  const lines: { readonly label: string; readonly span: DrawnSpan }[] = [];
  const walk = (parentId: string, indent: string) => {
    const own = children.get(parentId) ?? [];
    for (const [at, span] of own.entries()) {
      const isLast = at === own.length - 1;
      const branch = parentId === "" ? "" : isLast ? "└─ " : "├─ ";
      lines.push({ label: `${indent}${branch}${span.name}`, span });
      walk(span.spanId, parentId === "" ? "" : `${indent}${isLast ? "   " : "│  "}`);
    }
  };
  walk("", "");
  const width = Math.max(...lines.map(({ label }) => label.length));
  const startMs = Math.min(...spans.map((span) => span.startMs));
  const drawn = lines.map(({ label, span }) => {
    const at = `${(span.startMs - startMs).toFixed(1)} ms`.padStart(11);
    const took = `${(span.endMs - span.startMs).toFixed(1)} ms`.padStart(10);
    return `${label.padEnd(width)} ${at} ${took}  ${span.component}`;
  });
  return drawn.join("\n");
}
