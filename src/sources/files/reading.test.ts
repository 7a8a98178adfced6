import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SourceDocument } from "../../core/types.ts";
import type { ReadOutcome, SourceItem } from "../source.ts";
import { type FileSystem, nodeFileSystem } from "./file-system.ts";
import { createFilesSource } from "./files-source.ts";
import type { FilesLimits } from "./limits.ts";

const never = new AbortController().signal;
let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "winnow-files-"));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

interface Setting {
  readonly limits?: Partial<FilesLimits>;
  readonly fileSystem?: FileSystem;
}

function item(key: string): SourceItem {
  return { key, location: join(base, key), bytes: 1, mtimeMs: 0 };
}

function read(key: string, setting: Setting = {}): Promise<ReadOutcome> {
  return createFilesSource({ roots: [base], base, ...setting }).read(item(key), never);
}

function put(key: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(base, key)), { recursive: true });
  writeFileSync(join(base, key), content);
}

async function documents(key: string, content: string | Uint8Array, setting: Setting = {}) {
  put(key, content);
  const outcome = await read(key, setting);
  if (!("documents" in outcome)) throw new Error(`skipped: ${JSON.stringify(outcome.skipped)}`);
  return outcome;
}

async function document(key: string, content: string | Uint8Array): Promise<SourceDocument> {
  const outcome = await documents(key, content);
  const [first, ...rest] = outcome.documents;
  if (first === undefined || rest.length > 0) throw new Error(`${outcome.documents.length} documents`);
  return first;
}

async function skipped(key: string, content: string | Uint8Array, setting: Setting = {}) {
  put(key, content);
  const outcome = await read(key, setting);
  if (!("skipped" in outcome)) throw new Error("not skipped");
  return outcome;
}

describe("every file", () => {
  it("carries path, time and the hash of its bytes", async () => {
    put("notes/a.txt", "one\r\ntwo\rthree");
    utimesSync(join(base, "notes/a.txt"), 1_700_000_000, 1_700_000_000);
    const outcome = await read("notes/a.txt");
    const hash = createHash("sha256").update("one\r\ntwo\rthree").digest("hex").slice(0, 32);
    expect(outcome).toEqual({
      documents: [
        {
          id: "notes/a.txt",
          uri: "notes/a.txt",
          title: "a.txt",
          format: "text",
          text: "one\ntwo\nthree",
          metadata: { path: "notes/a.txt", modified: "2023-11-14T22:13:20.000Z" },
        },
      ],
      hash,
      notes: [],
    });
    const source = createFilesSource({ roots: [base], base });
    expect(await source.hash(item("notes/a.txt"), never)).toBe(hash);
  });

  it("knows source code by its language", async () => {
    expect(await document("src/a.TS", "let a = 1;")).toMatchObject({
      format: "code",
      metadata: { language: "typescript" },
    });
    expect((await document("Dockerfile", "FROM x")).metadata["language"]).toBe("dockerfile");
    expect((await document("LICENSE", "Free")).format).toBe("text");
  });

  it.each(["", " \n\t\r\n", "\ufeff", "\ufeff \n"])("is empty when it holds %j", async (content) => {
    expect((await skipped("a.md", content)).skipped.reason).toBe("empty");
  });
});

describe("encodings", () => {
  const text = "Grüße, Welt – ein Absatz, 日本 too.\n";
  const utf16 = (content: string, big: boolean) => {
    const bytes = Buffer.from(content, "utf16le");
    return big ? bytes.swap16() : bytes;
  };
  it.each([
    ["UTF-8", Buffer.from(text), 0],
    ["UTF-8 with mark", Buffer.from(`\ufeff${text}`), 0],
    ["UTF-16 LE with mark", utf16(`\ufeff${text}`, false), 0],
    ["UTF-16 BE with mark", utf16(`\ufeff${text}`, true), 0],
    ["UTF-16 LE", utf16(text, false), 1],
    ["UTF-16 BE", utf16(text, true), 1],
  ])("reads %s", async (_name, bytes, notes) => {
    const outcome = await documents("a.txt", bytes);
    expect(outcome.documents[0]?.text).toBe(text);
    expect(outcome.notes.length).toBe(notes);
  });

  it("reads what is not UTF-8 as windows-1252, with a note", async () => {
    const outcome = await documents("a.txt", Buffer.from([0x47, 0x72, 0xfc, 0xdf, 0x65, 0x20, 0x80]));
    expect(outcome.documents[0]?.text).toBe("Grüße €");
    expect(outcome.notes).toEqual(["Not valid UTF-8; read as windows-1252."]);
  });

  it("keeps UTF-8 with a few broken bytes as UTF-8, with a note", async () => {
    const bytes = Buffer.concat([Buffer.from("Grüße äöü "), Buffer.from([0xff]), Buffer.from(" 日本")]);
    const outcome = await documents("a.txt", bytes);
    expect(outcome.documents[0]?.text).toBe("Grüße äöü \ufffd 日本");
    expect(outcome.notes[0]).toContain("1 places");
  });

  it("replaces lone surrogates of UTF-16", async () => {
    const outcome = await documents("a.txt", utf16("\ufeffa\ud800b", false));
    expect(outcome.documents[0]?.text).toBe("a\ufffdb");
  });

  it.each([
    ["zero bytes", Buffer.from([1, 2, 0, 0, 0, 7, 9, 200])],
    ["control characters", Buffer.from(Array.from({ length: 200 }, (_, index) => (index % 5) + 1))],
  ])("calls %s binary", async (_name, bytes) => {
    expect((await skipped("a.txt", bytes)).skipped.reason).toBe("binary");
  });
});

describe("Markdown", () => {
  it("takes front matter as metadata and keeps the text whole", async () => {
    const text =
      '---\ntitle: Plan\ntags: [a, b]\ndate: 2024-05-01\ncount: 3\ndone: true\nnested: {a: 1}\npublish: false\n"__proto__": x\n---\n# Other\n';
    const plan = await document("a.md", text);
    expect(plan.title).toBe("Plan");
    expect(plan.text).toBe(text);
    expect(plan.format).toBe("markdown");
    expect(plan.metadata).toMatchObject({ tags: ["a", "b"], date: "2024-05-01", count: 3, done: true, publish: false });
    expect(Object.keys(plan.metadata)).not.toContain("nested");
    expect(Object.getPrototypeOf(plan.metadata)).toBe(Object.prototype);
    expect(plan.metadata["path"]).toBe("a.md");
  });

  it("lets a file's own date stand, and never its own path", async () => {
    const updated = (await document("b.md", "---\nmodified: soon\ndate_modified: 2021-02-03\n---\nx")).metadata;
    expect(updated).toMatchObject({ modified: "2021-02-03" });
    const dated = (await document("c.md", "---\ndate: 2021-02-03\ncreated: 2019\n---\nx")).metadata;
    expect(dated).toMatchObject({ modified: "2021-02-03" });
    const metadata = (await document("a.md", "---\nmodified: 2020-01-01\npath: /etc\n---\nx")).metadata;
    expect(metadata).toMatchObject({ modified: "2020-01-01", path: "a.md" });
  });

  it.each([
    ["# First *bold*\n", "First bold"],
    ["```\n# no\n```\n\n## [Link](x) `code` ##\n", "Link code"],
    ["Under\n===\n", "Under"],
    ["no heading\n\n- a\n---\n", "a.md"],
    ["snake_case_name\n=====\n", "snake_case_name"],
  ])("titles %j", async (text, title) => {
    expect((await document("a.md", text)).title).toBe(title);
  });

  it.each([
    "private: true",
    "private: yes",
    '"private": true',
    "Private: TRUE",
    "bad: [\nprivate: true",
    "{private: true}",
  ])("leaves a private document out: %s", async (line) => {
    const outcome = await skipped("a.md", `---\n${line}\n---\nsecret`);
    expect(outcome.skipped.reason).toBe("private");
    expect(outcome.hash).toBeTruthy();
  });

  it("is not private by other means", async () => {
    await document("a.md", "---\nprivate: false\n---\nx");
    await document("b.md", "text\n---\nprivate: true\n---\n");
    await document("c.json", '{"private": true}');
  });

  it.each([
    ["a: [b", "closed"],
    [`a: ${"[".repeat(20_000)}`, "nested too deeply"],
    ["- ".repeat(20_000), "nested too deeply"],
    [Array.from({ length: 300 }, (_, depth) => `${" ".repeat(depth)}k:`).join("\n"), "nested too deeply"],
    ["&a [*a, *a]", "not read"],
    ["just words", "not a list of keys"],
  ])("reads on after broken front matter %#", async (yaml, note) => {
    const outcome = await documents("a.md", `---\n${yaml}\n---\n# Title\n`);
    expect(outcome.documents[0]?.title).toBe("Title");
    expect(outcome.notes.join()).toMatch(/^The front matter was not read/);
    if (note === "nested too deeply") expect(outcome.notes.join()).toContain(note);
  });

  it("survives 100,000 levels", async () => {
    for (const text of [">".repeat(100_000), "- ".repeat(100_000), "[".repeat(100_000), "*".repeat(100_001)]) {
      expect((await document("a.md", text)).text).toBe(text);
    }
  });
});

describe("HTML", () => {
  it("gives readable text with headings, lists, tables and code, and nothing else", async () => {
    const page = await document(
      "a.html",
      `<!doctype html><html><head><title> My &amp; page </title><style>p{}</style><script>bad()</script></head>
       <body><nav>menu</nav><h1>Big <em>one</em>
       here</h1><p>Text <a href="http://x/">link</a> caf&eacute;</p><h2>Sub</h2><pre>a
  b</pre><ul><li>one<li>two</ul><table><tr><th>A<th>B<tr><td>1<td>2</table><script>bad()</script></body></html>`,
    );
    expect(page.title).toBe("My & page");
    expect(page.format).toBe("markdown");
    expect(page.text).toMatch(/^# Big one here$/m);
    expect(page.text).toMatch(/^## Sub$/m);
    expect(page.text).toContain("Text link café");
    expect(page.text).toContain("```\na\n  b\n```");
    expect(page.text).toMatch(/^\s*- one\n\s*- two$/m);
    expect(page.text).toContain("1 | 2");
    expect(page.text).not.toMatch(/menu|bad|http|p\{\}/);
  });

  it("takes the first heading when there is no title, and reads fragments", async () => {
    expect(await document("a.htm", "<h2>Only</h2><p>x")).toMatchObject({ title: "Only", text: "## Only\n\nx" });
  });

  it.each(["<div>", "<b>", "<ul><li>", "<table><tr><td>", "<td><p>", "<div></b>", "<blockquote>"])(
    "survives 100,000 levels of %s",
    async (tag) => {
      const started = performance.now();
      const outcome = await documents("a.html", `<h1>Top</h1>${tag.repeat(100_000)}deep &lt;text&gt;`);
      expect(outcome.documents[0]?.text).toMatch(/^# Top\n[\s\S]*deep <text>/);
      expect(outcome.notes[0]).toContain("too deeply");
      expect(performance.now() - started).toBeLessThan(10_000);
    },
  );

  it.each(["<", "<a", '<a href="', "<!--", "<script>", "</", "<p ", "&", "<title>"])(
    "takes linear time for 200,000 times %j",
    async (part) => {
      const started = performance.now();
      put("a.html", `<p>x</p>${part.repeat(200_000)}`);
      await read("a.html");
      expect(performance.now() - started).toBeLessThan(10_000);
    },
  );
});

describe("failures of the system", () => {
  it("skips a file that vanished", async () => {
    const outcome = await read("gone.md");
    expect(outcome).toMatchObject({ skipped: { key: "gone.md", reason: "vanished" } });
    const source = createFilesSource({ roots: [base], base });
    expect(await source.hash(item("gone.md"), never)).toBeUndefined();
  });

  it("gives the system's reason when a file cannot be opened or read", async () => {
    put("a.md", "x");
    const denied = Object.assign(new Error(`EACCES: permission denied, open '${base}/a.md'`), { code: "EACCES" });
    const closed: FileSystem = { ...nodeFileSystem, open: () => Promise.reject(denied) };
    expect(await read("a.md", { fileSystem: closed })).toEqual({
      skipped: { key: "a.md", reason: "unreadable", detail: "The system reports: permission denied (EACCES)." },
    });
    const broken: FileSystem = {
      ...nodeFileSystem,
      open: async (path) => {
        const file = await nodeFileSystem.open(path);
        return {
          stat: () => file.stat(),
          read: () => Promise.reject(Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" })),
          close: () => file.close(),
        };
      },
    };
    expect(await read("a.md", { fileSystem: broken })).toMatchObject({
      skipped: { reason: "unreadable", detail: "The system reports: i/o error (EIO)." },
    });
  });

  it.skipIf(process.getuid?.() === 0)(
    "reports a file without permission (skipped as root, who may read all)",
    async () => {
      put("a.md", "x");
      chmodSync(join(base, "a.md"), 0);
      expect(await read("a.md")).toMatchObject({ skipped: { reason: "unreadable" } });
    },
  );

  it.skipIf(process.platform === "win32")(
    "never waits on a pipe, reads a folder, or follows a link that came later",
    async () => {
      execFileSync("mkfifo", [join(base, "pipe.md")]);
      expect(await read("pipe.md")).toMatchObject({ skipped: { reason: "not_a_file" } });
      mkdirSync(join(base, "folder.md"));
      expect(await read("folder.md")).toMatchObject({ skipped: { reason: "not_a_file" } });
      put("real.md", "x");
      symlinkSync("real.md", join(base, "link.md"));
      expect("skipped" in (await read("link.md"))).toBe(true);
      const outside = mkdtempSync(join(tmpdir(), "winnow-outside-"));
      try {
        writeFileSync(join(outside, "a.md"), "secret");
        put("sub/a.md", "mine");
        renameSync(join(base, "sub"), join(base, "old"));
        symlinkSync(outside, join(base, "sub"));
        expect(await read("sub/a.md")).toMatchObject({ skipped: { reason: "outside_root" } });
        const source = createFilesSource({ roots: [base], base });
        expect(await source.hash(item("sub/a.md"), never)).toBeUndefined();
      } finally {
        rmSync(outside, { recursive: true });
      }
    },
  );

  it("skips what is larger than the limit, by its size and while it grows", async () => {
    put("huge.md", "");
    truncateSync(join(base, "huge.md"), 100 * 1024 * 1024);
    const started = performance.now();
    expect(await read("huge.md")).toMatchObject({ skipped: { reason: "too_large" } });
    expect(performance.now() - started).toBeLessThan(2_000);
    put("a.md", "0123456789");
    expect(await read("a.md", { limits: { fileBytesMax: 9 } })).toMatchObject({ skipped: { reason: "too_large" } });
    const growing: FileSystem = {
      ...nodeFileSystem,
      open: async (path) => {
        const [file, stat] = [await nodeFileSystem.open(path), await nodeFileSystem.stat(path)];
        const small = { ...stat, size: 1, isFile: () => true, isDirectory: () => false, isSymbolicLink: () => false };
        return { stat: async () => small, read: (buffer) => file.read(buffer), close: () => file.close() };
      },
    };
    expect(await read("a.md", { fileSystem: growing, limits: { fileBytesMax: 9 } })).toMatchObject({
      skipped: { reason: "too_large" },
    });
  });

  it("reads a named file of unknown type as text, and no other", async () => {
    put("data.unknown", "words");
    expect(await read("data.unknown")).toMatchObject({ skipped: { reason: "unsupported_type" } });
    const source = createFilesSource({ roots: [join(base, "data.unknown")], base });
    expect(await source.read(item("data.unknown"), never)).toMatchObject({
      documents: [{ format: "text", text: "words" }],
    });
  });

  it("rejects when the signal aborts", async () => {
    put("a.md", "x");
    const source = createFilesSource({ roots: [base], base });
    await expect(source.read(item("a.md"), AbortSignal.abort())).rejects.toThrow();
    await expect(source.hash(item("a.md"), AbortSignal.abort())).rejects.toThrow();
  });
});
