// An object's file lies where its key says, so that people open it with any tool.
//
// Where that cannot be (the key's path is taken by a folder or another version, a name is too long,
// two keys differ in case only on a disk that ignores case) it is named by a random id instead,
// which no key's path can be: paths made from keys never start with "~".

const SEGMENT_BYTES_MAX = 255;

/** A key as a path below the bucket's folder; null if none can be made. Never leaves the folder. */
export function keyToPath(key: string): string | null {
  const segments = key.split("/").map(encodeSegment);
  const fits = segments.every((text) => text.length > 0 && text.length <= SEGMENT_BYTES_MAX);
  return fits ? segments.join("/") : null;
}

export function pathOfId(id: string): string {
  return `~${id}`;
}

function encodeSegment(segment: string): string {
  return segment.replace(/^\.|[^A-Za-z0-9_.=,+@-]/gu, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  );
}
