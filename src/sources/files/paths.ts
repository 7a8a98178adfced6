import { isAbsolute, relative, sep } from "node:path";

/** The key of a path: relative to the base in POSIX form, or the absolute path in POSIX form when it lies outside. */
export function keyOf(base: string, path: string): string {
  const inside = relative(base, path);
  const leaves = inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside);
  return posix(leaves ? path : inside);
}

/** A backslash is an ordinary character of a name except where it separates. */
function posix(path: string): string {
  return sep === "/" ? path : path.split(sep).join("/");
}

/** True when `path` is `folder` or lies below it. Both absolute and resolved. */
export function isWithin(folder: string, path: string): boolean {
  const prefix = folder.endsWith(sep) ? folder : `${folder}${sep}`;
  return path === folder || path.startsWith(prefix);
}

/** Some keys, each standing for itself and for everything below it. */
export class KeyScope {
  readonly #keys: ReadonlySet<string>;
  /** Every folder above one of the keys. */
  readonly #above = new Set<string>();

  constructor(keys: Iterable<string>) {
    this.#keys = new Set(keys);
    for (const key of this.#keys) {
      for (let above = parentKey(key); above !== undefined && !this.#above.has(above); above = parentKey(above)) {
        this.#above.add(above);
      }
    }
  }

  /** True for one of the keys and for what lies below it. A folder's key may end in a slash. */
  holds(key: string): boolean {
    for (let at: string | undefined = withoutSlash(key); at !== undefined; at = parentKey(at)) {
      if (this.#keys.has(at)) return true;
    }
    return false;
  }

  /** True for a folder that one of the keys lies in. */
  leadsTo(key: string): boolean {
    return this.#above.has(withoutSlash(key));
  }
}

/** The folder of a key; the base's own, which is empty, for a name in it; undefined above that. */
function parentKey(key: string): string | undefined {
  if (key === "") return undefined;
  const slash = key.lastIndexOf("/");
  if (slash > 0) return key.slice(0, slash);
  return isAbsolute(key) ? undefined : "";
}

function withoutSlash(key: string): string {
  if (key === "./" || key === ".") return "";
  return key.endsWith("/") ? key.slice(0, -1) : key;
}
