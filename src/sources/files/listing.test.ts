import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WinnowError } from "../../core/errors.ts";
import type { Listed, Source } from "../source.ts";
import { type FileSystem, nodeFileSystem } from "./file-system.ts";
import { createFilesSource } from "./files-source.ts";
import { keyOfListed } from "./merge.ts";

const never = new AbortController().signal;
let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "winnow-files-"));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function put(files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), content);
  }
}

async function list(source: Source): Promise<Listed[]> {
  const all: Listed[] = [];
  for await (const listed of source.list(never)) all.push(listed);
  return all;
}

/** Keys of items, and `key: reason` of what was skipped. */
async function names(roots: readonly string[] = [base], fileSystem?: FileSystem): Promise<string[]> {
  const source = createFilesSource({ roots, base, ...(fileSystem === undefined ? {} : { fileSystem }) });
  return (await list(source)).map((listed) =>
    "item" in listed ? listed.item.key : `${listed.skipped.key}: ${listed.skipped.reason}`,
  );
}

describe("what is listed", () => {
  it("lists files by key, in the order of the keys, with size and time", async () => {
    put({ "b.md": "b", "a/z.md": "z", "a.md": "a", "a/b/c.txt": "c", "a-b.md": "-" });
    const source = createFilesSource({ roots: [base], base });
    const listed = await list(source);
    expect(listed.map(keyOfListed)).toEqual(["a-b.md", "a.md", "a/b/c.txt", "a/z.md", "b.md"]);
    const first = listed[0];
    if (first === undefined || !("item" in first)) throw new Error("not an item");
    expect(first.item).toMatchObject({ location: join(base, "a-b.md"), bytes: 1 });
    expect(Math.abs(first.item.mtimeMs - Date.now())).toBeLessThan(60_000);
  });

  it("lists nothing for an empty folder", async () => {
    expect(await names()).toEqual([]);
  });

  it("names the reason of everything it leaves out", async () => {
    put({ "picture.png": "x", "empty.md": "", "big.md": "0123456789", ".git/config": "x", "node_modules/a/b.js": "x" });
    const source = createFilesSource({ roots: [base], base, limits: { fileBytesMax: 9 } });
    const skips = (await list(source)).map((listed) => ("skipped" in listed ? listed.skipped : undefined));
    expect(skips.map((skipped) => [skipped?.key, skipped?.reason])).toEqual([
      [".git/", "ignored"],
      ["big.md", "too_large"],
      ["empty.md", "empty"],
      ["node_modules/", "ignored"],
      ["picture.png", "unsupported_type"],
    ]);
    expect(skips[1]?.detail).toContain("10 bytes; the limit is 9");
    for (const skipped of skips) expect(skipped?.detail).toMatch(/^[A-Z].*\.$/);
  });

  it("reads below a root inside node_modules or a dot-folder when that is what was named", async () => {
    put({ "node_modules/pkg/index.js": "x", "node_modules/pkg/node_modules/q/i.js": "x", ".notes/a.md": "x" });
    put({ ".gitignore": "node_modules\n.notes/a.md\n" });
    expect(await names([join(base, "node_modules/pkg"), join(base, ".notes")])).toEqual([
      ".notes/a.md: ignored",
      "node_modules/pkg/index.js",
      "node_modules/pkg/node_modules/: ignored",
    ]);
  });

  it("merges overlapping roots and single files without repeating a key", async () => {
    put({ "a/x.md": "1", "a/b/y.md": "2", "c.md": "3", "a/data.bin": "text" });
    const roots = ["a", "a/b", "c.md", "a/data.bin", "c.md", "a/../a"].map((path) => join(base, path));
    expect(await names(roots)).toEqual(["a/b/y.md", "a/data.bin", "a/x.md", "c.md"]);
  });

  it("gives absolute keys outside the base", async () => {
    const other = mkdtempSync(join(tmpdir(), "winnow-other-"));
    try {
      writeFileSync(join(other, "x.md"), "x");
      expect(await names([other])).toEqual([join(other, "x.md")]);
    } finally {
      rmSync(other, { recursive: true });
    }
  });

  it.skipIf(process.platform === "win32")("lists weird names", async () => {
    put({
      "-rf.md": "x",
      "new\nline.md": "x",
      "ünï 😀.md": "x",
      "..dots.md": "x",
      "__proto__.md": "x",
      "a\\b.md": "x",
    });
    put({ ".gitignore": "*.log\n", "constructor/toString.md": "x" });
    expect((await names()).sort()).toEqual(
      [
        "-rf.md",
        "..dots.md",
        ".gitignore: unsupported_type",
        "__proto__.md",
        "a\\b.md",
        "constructor/toString.md",
        "new\nline.md",
        "ünï 😀.md",
      ].sort(),
    );
  });

  it.skipIf(process.platform !== "linux")("says so when a name is not Unicode", async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${base}/bad`), Buffer.from([0xff]), Buffer.from(".md")]), "x");
    expect(await names()).toEqual(["bad\ufffd.md: unreadable"]);
  });
});

describe("ignore files", () => {
  it("applies nested rules, negations and .winnowignore after .gitignore", async () => {
    put({
      ".gitignore": "*.log\nbuild/\n/top.md\n# comment\n",
      ".winnowignore": "secret.md\n!keep.log\n",
      "a.log": "x",
      "keep.log": "x",
      "secret.md": "x",
      "top.md": "x",
      "sub/top.md": "x",
      "sub/.gitignore": "!b.log\n",
      "sub/b.log": "x",
      "sub/c.log": "x",
      "build/out.md": "x",
    });
    const shown = (await names()).filter((name) => !name.endsWith("unsupported_type"));
    expect(shown).toEqual([
      "a.log: ignored",
      "build/: ignored",
      "keep.log",
      "secret.md: ignored",
      "sub/b.log",
      "sub/c.log: ignored",
      "sub/top.md",
      "top.md: ignored",
    ]);
  });

  it("keeps what lies in a folder that a nearer file brought back", async () => {
    put({
      ".gitignore": "build/\n*.log\n",
      "sub/.gitignore": "!build/\n",
      "sub/build/a.md": "x",
      "sub/build/b.log": "x",
    });
    const shown = (await names()).filter((name) => !name.endsWith("unsupported_type"));
    expect(shown).toEqual(["sub/build/a.md", "sub/build/b.log: ignored"]);
  });

  it("applies the rules above a root inside it", async () => {
    put({ ".gitignore": "*.log\ndocs/draft.md\n", "docs/a.log": "x", "docs/draft.md": "x", "docs/b.md": "x" });
    expect(await names([join(base, "docs")])).toEqual(["docs/a.log: ignored", "docs/b.md", "docs/draft.md: ignored"]);
  });

  it("opts folders out by a marker, above a named root too", async () => {
    put({ "a/.nowinnow": "", "a/b/x.md": "x", "c.md": "x" });
    expect(await names()).toEqual(["a/: ignored", "c.md"]);
    expect(await names([join(base, "a/b")])).toEqual(["a/b: ignored"]);
    put({ ".nowinnow": "" });
    expect(await names()).toEqual(["./: ignored"]);
  });

  it("tells of rules that it does not apply, and stays fast on hostile ones", async () => {
    const name = `${"a".repeat(200)}.md`;
    put({ ".gitignore": `${"*a".repeat(60)}b\n*.log\n`, [name]: "x", "x.log": "x" });
    const started = performance.now();
    expect(await names()).toEqual([".gitignore: malformed", name, "x.log: ignored"]);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe("special entries", () => {
  it("does not follow links: out of the root, to nothing, in a circle, to what is listed anyway", async () => {
    put({ "in/real.md": "x", "outside/secret.md": "x" });
    symlinkSync("../outside/secret.md", join(base, "in/away.md"));
    symlinkSync("../outside", join(base, "in/away-folder"));
    symlinkSync("nothing.md", join(base, "in/broken.md"));
    symlinkSync("circle.md", join(base, "in/circle.md"));
    symlinkSync(".", join(base, "in/self"));
    symlinkSync("real.md", join(base, "in/same.md"));
    expect(await names([join(base, "in")])).toEqual([
      "in/away-folder: outside_root",
      "in/away.md: outside_root",
      "in/broken.md: vanished",
      "in/circle.md: unreadable",
      "in/real.md",
      "in/same.md: ignored",
      "in/self: ignored",
    ]);
  });

  it("follows a link that was itself named", async () => {
    put({ "real/a.md": "x" });
    symlinkSync("real", join(base, "link"));
    symlinkSync("real/a.md", join(base, "file-link.md"));
    expect(await names([join(base, "link"), join(base, "file-link.md")])).toEqual(["file-link.md", "link/a.md"]);
  });

  it.skipIf(process.platform === "win32")("skips pipes and sockets without waiting", async () => {
    execFileSync("mkfifo", [join(base, "pipe.md")]);
    const server = createServer().listen(join(base, "socket.md"));
    await new Promise((resolve) => server.once("listening", resolve));
    try {
      expect(await names()).toEqual(["pipe.md: not_a_file", "socket.md: not_a_file"]);
      expect(await names([join(base, "pipe.md")])).toEqual(["pipe.md: not_a_file"]);
    } finally {
      server.close();
    }
  });

  it("skips a huge file by its size", async () => {
    put({ "huge.md": "" });
    truncateSync(join(base, "huge.md"), 100 * 1024 * 1024);
    expect(await names()).toEqual(["huge.md: too_large"]);
  });
});

describe("failures", () => {
  it.each([
    ["missing", "source_not_found"],
    ["file.md/below", "source_not_found"],
  ])("rejects for the root %s", async (path, code) => {
    put({ "file.md": "x" });
    const failure = await names([join(base, path)]).catch((error: unknown) => error);
    expect(WinnowError.isInstance(failure) && failure.code).toBe(code);
    expect(WinnowError.isInstance(failure) && failure.hint).toBeTruthy();
  });

  it("refuses arguments that name no place", () => {
    for (const roots of [[], ["relative"], [""], ["/a\0b"]]) {
      expect(() => createFilesSource({ roots, base })).toThrow(WinnowError);
    }
    expect(() => createFilesSource({ roots: [base], base: "relative" })).toThrow(WinnowError);
  });

  it("goes on after a folder or file that cannot be read", async () => {
    put({ "a/x.md": "x", "b.md": "x", "c.md": "x" });
    const denied = Object.assign(new Error("EACCES: permission denied, scandir '/x'"), { code: "EACCES" });
    const gone = Object.assign(new Error("ENOENT: no such file or directory, lstat '/x'"), { code: "ENOENT" });
    const fileSystem: FileSystem = {
      ...nodeFileSystem,
      readdir: (path) => (path.endsWith("/a") ? Promise.reject(denied) : nodeFileSystem.readdir(path)),
      lstat: (path) => (path.endsWith("b.md") ? Promise.reject(gone) : nodeFileSystem.lstat(path)),
    };
    expect(await names([base], fileSystem)).toEqual(["a/: unreadable", "b.md: vanished", "c.md"]);
  });

  it.skipIf(process.getuid?.() === 0)(
    "reports a folder without permission (skipped as root, who may read all)",
    async () => {
      put({ "a/x.md": "x" });
      chmodSync(join(base, "a"), 0);
      try {
        expect(await names()).toEqual(["a/: unreadable"]);
      } finally {
        chmodSync(join(base, "a"), 0o700);
      }
    },
  );

  it("stops at the limit of entries and when the signal aborts", async () => {
    put({ "a.md": "x", "b.md": "x", "c.md": "x" });
    const limited = createFilesSource({ roots: [base], base, limits: { entriesMax: 2 } });
    await expect(list(limited)).rejects.toMatchObject({ code: "limit_exceeded" });
    const controller = new AbortController();
    const seen: string[] = [];
    const consume = async () => {
      for await (const listed of createFilesSource({ roots: [base], base }).list(controller.signal)) {
        seen.push(keyOfListed(listed));
        controller.abort();
      }
    };
    await expect(consume()).rejects.toThrow();
    expect(seen).toEqual(["a.md"]);
  });
});

describe("every tree", () => {
  const name = fc.constantFrom("a", "a-", "a.md", "b", "b.md", "0", "z z", "é");
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => `${parts.join("/")}.md`);
  it("is listed completely, in strict order, whatever the roots", async () => {
    const property = fc.asyncProperty(fc.array(path, { maxLength: 12 }), async (paths) => {
      rmSync(base, { recursive: true });
      mkdirSync(base);
      const made = new Set<string>();
      for (const file of paths) {
        try {
          put({ [file]: "x" });
          made.add(file);
        } catch {
          // A file is where this one needs a folder.
        }
      }
      const keys = await names();
      expect(keys).toEqual([...made].sort());
      const tops = [...new Set([...made].map((file) => join(base, file.split("/")[0] ?? "")))];
      if (tops.length > 0) expect(await names(tops)).toEqual(keys);
    });
    await fc.assert(property, { seed: 7, numRuns: 40 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1) });
  });
});
