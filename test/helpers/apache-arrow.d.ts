// What the tests use of apache-arrow, whose own types cannot be found through its package.json.

declare module "apache-arrow" {
  export interface Vector extends Iterable<unknown> {
    get(row: number): unknown;
    toJSON(): unknown[];
    toArray(): unknown[];
  }

  export interface Table {
    readonly numRows: number;
    readonly numCols: number;
    readonly schema: {
      readonly fields: readonly { readonly name: string; readonly type: object }[];
    };
    getChild(name: string): Vector | null;
    getChildAt(index: number): Vector | null;
    toArray(): Record<string, unknown>[];
  }

  export function tableFromIPC(bytes: Uint8Array): Table;
}
