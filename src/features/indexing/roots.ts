import { isAbsolute, relative, resolve, sep } from "node:path";
import type { KnownSource } from "../../retrieval/corpus/manifest.ts";

/** The key of a path as the files source writes it: POSIX, relative to the base, or absolute where it lies outside. */
export function keyOfPath(base: string, path: string): string {
  const inside = relative(base, path);
  const leaves = inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside);
  const key = leaves ? path : inside;
  return sep === "/" ? key : key.split(sep).join("/");
}

export function pathOfKey(base: string, key: string): string {
  return resolve(base, key);
}

/** True when `key` is `root` or lies below it. The root with the empty key holds every relative key. */
export function covers(root: string, key: string): boolean {
  if (root === "") return !isAbsolute(key);
  return key === root || key.startsWith(root.endsWith("/") ? root : `${root}/`);
}

export function coveredBy(roots: readonly string[], key: string): boolean {
  return roots.some((root) => covers(root, key));
}

/**
 * The source with `roots` added, and nothing excluded that was asked for. A root within another one stays, because a
 * source reads what was named itself even where a rule would leave it out.
 */
export function withRoots(source: KnownSource, roots: readonly string[]): KnownSource {
  return {
    type: source.type,
    roots: [...new Set([...source.roots, ...roots])].sort(),
    excluded: source.excluded.filter((key) => !roots.some((root) => covers(root, key) || covers(key, root))),
  };
}

/** The source with no other roots than these. What was forgotten of them stays forgotten. */
export function onlyRoots(source: KnownSource, roots: readonly string[]): KnownSource {
  const all = [...new Set([...source.roots, ...roots])].sort();
  return { type: source.type, roots: all, excluded: source.excluded.filter((key) => !roots.includes(key)) };
}

/** The source without `path`: roots at or below it go, and what lies inside another root is excluded from it. */
export function withoutPath(source: KnownSource, path: string): KnownSource {
  const roots = source.roots.filter((root) => !covers(path, root));
  const excluded = source.excluded.filter((key) => !covers(path, key) && coveredBy(roots, key));
  return { type: source.type, roots, excluded: coveredBy(roots, path) ? outermost([...excluded, path]) : excluded };
}

function outermost(keys: readonly string[]): string[] {
  const distinct = [...new Set(keys)].sort();
  return distinct.filter((key) => !distinct.some((other) => other !== key && covers(other, key)));
}
