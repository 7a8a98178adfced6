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
