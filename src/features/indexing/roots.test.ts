import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { covers, keyOfPath, pathOfKey, withoutPath, withRoots } from "./roots.ts";

const BASE = resolve("/corpus");
const source = (roots: readonly string[], excluded: readonly string[] = []) => ({ type: "files", roots, excluded });

describe("roots", () => {
  test("keys are relative to the base, absolute outside of it, and lead back to their path", () => {
    for (const [path, key] of [
      [BASE, ""],
      [join(BASE, "a", "b.md"), "a/b.md"],
      [join(BASE, "..x"), "..x"],
      [resolve("/elsewhere/c"), resolve("/elsewhere/c").replaceAll("\\", "/")],
    ] as const) {
      expect(keyOfPath(BASE, path)).toBe(key);
      expect(pathOfKey(BASE, key)).toBe(path);
    }
  });

  test("a root covers itself and what is below, not what only begins alike", () => {
    expect(covers("a", "a")).toBe(true);
    expect(covers("a", "a/b")).toBe(true);
    expect(covers("a", "ab")).toBe(false);
    expect(covers("", "a/b")).toBe(true);
    expect(covers("", "/elsewhere/c")).toBe(false);
    expect(covers("/elsewhere", "/elsewhere/c")).toBe(true);
  });

  test("naming a path lifts its exclusion", () => {
    expect(withRoots(source([""], ["a/b", "c"]), ["a"])).toEqual(source(["", "a"], ["c"]));
    expect(withRoots(source(["a"], ["a/b"]), ["a/b/c"])).toEqual(source(["a", "a/b/c"]));
    expect(withRoots(source(["b", "a"]), ["b"])).toEqual(source(["a", "b"]));
  });

  test("forgetting removes roots below, and excludes inside the others", () => {
    expect(withoutPath(source(["a", "a/b", "c"]), "a")).toEqual(source(["c"]));
    expect(withoutPath(source(["a"], ["a/b/c"]), "a/b")).toEqual(source(["a"], ["a/b"]));
    expect(withoutPath(source(["a"], ["a/b"]), "a")).toEqual(source([]));
  });
});
