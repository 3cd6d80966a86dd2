// Writes plain values in Cap'n Proto's text form, which is what workerd's configuration is.
//
// An object becomes a struct, undefined fields are left out. Strings are escaped as C strings of
// UTF-8, which JSON's escapes are too, but for \u: control characters are written in octal.

/** The content of a file, taken in by workerd when it reads the configuration. */
export class Embed {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }
}

export type CapnpValue =
  | string
  | number
  | boolean
  | undefined
  | Embed
  | readonly CapnpValue[]
  | { readonly [field: string]: CapnpValue };

export function toCapnpText(value: Exclude<CapnpValue, undefined>): string {
  if (typeof value === "string") return quote(value);
  if (typeof value !== "object") return String(value);
  if (value instanceof Embed) return `embed ${quote(value.path)}`;
  if (isList(value)) return `[${value.map((item) => toCapnpText(item!)).join(", ")}]`;
  const fields = Object.entries(value).flatMap(([name, field]) =>
    field === undefined ? [] : [`${name} = ${toCapnpText(field)}`],
  );
  return `(${fields.join(", ")})`;
}

function isList(value: object): value is readonly CapnpValue[] {
  return Array.isArray(value);
}

function quote(text: string): string {
  const escaped = text.replace(/["\\]|\p{Cc}/gu, (character) =>
    character === '"' || character === "\\"
      ? `\\${character}`
      : [...Buffer.from(character)].map(octal).join(""),
  );
  return `"${escaped}"`;
}

function octal(byte: number): string {
  return `\\${byte.toString(8).padStart(3, "0")}`;
}
