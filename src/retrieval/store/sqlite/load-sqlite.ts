type Sqlite = typeof import("node-sqlite3-wasm");

let loading: Promise<Sqlite> | undefined;

/** Loads and compiles the library at the first use (about 20 ms). One instance, with one heap, serves the process. */
export function loadSqlite(): Promise<Sqlite> {
  loading ??= import("node-sqlite3-wasm").then((module) => {
    // A CommonJS module: what it exports is the default export, in Node as in the bundle.
    const { default: exported = module } = module as Sqlite & { readonly default?: Sqlite };
    return exported;
  });
  return loading;
}
