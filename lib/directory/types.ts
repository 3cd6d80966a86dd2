// Databases and tokens as the rest of the system sees them.

export interface Database {
  readonly databaseId: number;
  readonly name: string;
  /** Buffer shards; fixed when the database is made. */
  readonly shardCount: number;
  readonly createdMs: number;
}

export const PERMISSIONS = ["read", "write", "delete", "admin"] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Everything about a token but its secret. */
export interface Token {
  readonly tokenId: number;
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
  /** Database names, `*` standing for any run of characters. */
  readonly databases: readonly string[];
  readonly createdMs: number;
  readonly expiresMs: number | null;
  readonly isEnabled: boolean;
}

/** With the hex SHA-256 of the secret, for those who check it. Never leaves the Workers. */
export interface StoredToken extends Token {
  readonly digest: string;
}

export interface NewToken {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
  readonly databases: readonly string[];
  readonly expiresMs: number | null;
}

/** Who asks, once the token was found to be good. */
export interface Principal {
  /** null: the admin token from the environment. */
  readonly tokenId: number | null;
  readonly name: string;
  readonly permissions: readonly Permission[];
  readonly databases: readonly string[];
}
