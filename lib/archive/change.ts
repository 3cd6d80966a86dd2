// A change of something that Sluice itself keeps, and the tags that its event is found by.

export interface Change {
  readonly group:
    | "tokens"
    | "databases"
    | "measurements"
    | "retention"
    | "continuous_queries"
    | "triggers"
    | "alerts";
  readonly name: string;
  readonly action: "create" | "update" | "delete";
  /** The database that it is of; null: of none. */
  readonly database: string | null;
  /** As the API shows it, never with a secret; after a delete as it was last. */
  readonly artifact: unknown;
  /** It is found under this name, too. */
  readonly oldName?: string;
  /** A new secret, of which nothing else can be told. */
  readonly isRotated?: true;
}

/** Leaves room for the group before it (LIMITS.eventTagBytesMax). */
const NAME_BYTES_MAX = 200;

export function tagsOf(change: Change): string[] {
  const { group, name, action, database, oldName, isRotated } = change;
  const tags = [group, `${group}:${name}`, "archiving", `archiving:${action}`];
  if (database !== null) tags.push(`databases:${database}`);
  if (oldName !== undefined) tags.push(`${group}:${oldName}`);
  if (isRotated) tags.push("rotated");
  return tags;
}

/** What a thing is tagged with: its name, or its id where the name is too long for a tag. */
export function nameOrId(name: string, id: number): string {
  return Buffer.byteLength(name) <= NAME_BYTES_MAX ? name : String(id);
}
