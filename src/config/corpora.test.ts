import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "./config.ts";
import type { WrittenCorpus } from "./corpora.ts";
import { writeCorpusEntry } from "./write-corpus.ts";

let home: string;
let project: string;
let userFile: string;
let projectFile: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "winnow-corpora-"));
  project = join(home, "project");
  userFile = join(home, "config", "winnow", "config.json");
  projectFile = join(project, "winnow.json");
  mkdirSync(join(home, "config", "winnow"), { recursive: true });
  mkdirSync(project);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const load = () => loadConfig(project, { XDG_CONFIG_HOME: join(home, "config") });
const write = (file: string, corpora: Record<string, unknown>) => writeFileSync(file, JSON.stringify({ corpora }));
const chroma = {
  chroma: ".chroma",
  collection: "log",
  role: "changelog",
  documentKey: "path",
  embedder: "minilm",
} as const;

describe("corpora of the configuration", () => {
  test("are folders, what they are built of, and attached collections, with absolute places", async () => {
    write(projectFile, {
      notes: "notes",
      all: { folder: "all", role: "documents" },
      shipped: { source: "changelog", paths: ["a", "/b"] },
      log: { ...chroma, orderKey: "n" },
      served: { ...chroma, chroma: "http://127.0.0.1:8000" },
    });
    expect((await load()).settings.corpora).toEqual({
      notes: { kind: "folder", folder: join(project, "notes") },
      all: { kind: "folder", folder: join(project, "all"), role: "documents" },
      shipped: {
        kind: "built",
        source: "changelog",
        paths: [join(project, "a"), "/b"],
        role: "changelog",
        projectFolder: project,
        indexFolder: join(project, ".winnow", "corpora", "shipped"),
        isPrivate: false,
        isUsers: false,
      },
      log: {
        kind: "chroma",
        place: join(project, ".chroma"),
        collection: "log",
        role: "changelog",
        documentKey: "path",
        orderKey: "n",
        embedder: "minilm",
        inPlace: false,
        indexFolder: join(project, ".winnow", "attached", "log"),
        leave: { folder: project, granted: [], userFile },
      },
      served: expect.objectContaining({ place: "http://127.0.0.1:8000" }),
    });
  });

  test("sessions may be cut into turns, and nothing else may", async () => {
    write(userFile, { mine: { source: "claude-sessions", unit: "turn" } });
    expect((await load()).settings.corpora["mine"]).toMatchObject({ source: "claude-sessions", unit: "turn" });
    write(userFile, { mine: { source: "tool-traces", unit: "turn" } });
    await expect(load()).rejects.toMatchObject({ code: "invalid_config", message: expect.stringMatching(/"mine"/) });
  });

  test.each([
    ["another machine", { ...chroma, chroma: "https://chroma.example" }, /may not send/],
    ["a key", { ...chroma, apiKeyEnv: "AWS_SECRET_ACCESS_KEY" }, /may not send|nor name a key/],
    ["a look-alike of this machine", { ...chroma, chroma: "http://127.0.0.1.example" }, /may not send/],
    ["a directory elsewhere in place", { ...chroma, chroma: "/var/lib/chroma", inPlace: true }, /in place/],
    ["its own folder's parent in place", { ...chroma, chroma: "..", inPlace: true }, /in place/],
  ])("a project may not name %s; the user may", async (_what, entry, message) => {
    write(projectFile, { log: entry });
    await expect(load()).rejects.toMatchObject({ code: "invalid_config", message: expect.stringMatching(message) });
    rmSync(projectFile);
    write(userFile, { log: entry });
    expect((await load()).settings.corpora["log"]).toMatchObject({ kind: "chroma", collection: "log" });
  });

  test.each([
    ["a link", "lnk"],
    ["a folder below a link", join("lnk", "below")],
  ])("a project may not have a directory elsewhere opened in place through %s", async (_what, place) => {
    const elsewhere = join(home, "elsewhere");
    mkdirSync(join(elsewhere, "below"), { recursive: true });
    symlinkSync(elsewhere, join(project, "lnk"));
    write(projectFile, { log: { ...chroma, chroma: place, inPlace: true } });
    await expect(load()).rejects.toMatchObject({ code: "invalid_config", message: expect.stringMatching(/in place/) });
  });

  test("what agents saw and did is private in a project's file, and the user's own to name", async () => {
    for (const source of ["claude-sessions", "tool-traces"]) {
      write(projectFile, { mine: { source } });
      expect((await load()).settings.corpora["mine"]).toMatchObject({
        kind: "built",
        paths: [],
        isPrivate: true,
        isUsers: false,
      });
      rmSync(projectFile);
      write(userFile, { mine: { source } });
      expect((await load()).settings.corpora["mine"]).toMatchObject({ kind: "built", isPrivate: true, isUsers: true });
    }
    writeFileSync(projectFile, JSON.stringify({ mayRead: { [project]: [home] } }));
    await expect(load()).rejects.toMatchObject({
      code: "invalid_config",
      message: expect.stringMatching(/may not set/),
    });
  });

  test("a project may have a directory of its own opened in place", async () => {
    write(projectFile, { log: { ...chroma, inPlace: true } });
    expect((await load()).settings.corpora["log"]).toMatchObject({ inPlace: true });
  });

  test.each([
    [{ "../../up": chroma }, /cannot name/],
    [{ log: { ...chroma, role: "boss" } }, /corpora\.log", "role": /],
    [{ log: { ...chroma, embeder: "none" } }, /corpora\.log" has an unknown key "embeder"\. Did you mean "embedder"\?/],
    [{ log: { source: "files", path: ["a"] } }, /corpora\.log" has an unknown key "path"\. Did you mean "paths"\?/],
    [{ log: { places: ["a"] } }, /corpora\.log" must be/],
    [{ log: { ...chroma, apiKey: "sk-1" } }, /corpora\.log.*unknown key "apiKey"/],
    [{ log: { chroma: ".chroma" } }, /corpora\.log", "collection": /],
    [{ log: { source: "mail", paths: ["a"] } }, /corpora\.log", "source": /],
    [{ log: { source: "changelog", paths: [] } }, /corpora\.log/],
    [{ "../../up": { source: "changelog" } }, /cannot name/],
    [{ log: 7 }, /corpora\.log.*must be/],
  ])("%j is refused", async (corpora, message) => {
    write(projectFile, corpora);
    await expect(load()).rejects.toMatchObject({ code: "invalid_config", message: expect.stringMatching(message) });
  });
});

describe("writeCorpusEntry", () => {
  const entry: WrittenCorpus = { ...chroma };

  test("makes the file and its folder, and what it writes is read back", async () => {
    const file = join(home, "new", "winnow.json");
    await writeCorpusEntry(file, "log", entry);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ corpora: { log: entry } });
    await writeCorpusEntry(projectFile, "log", entry);
    expect((await load()).settings.corpora["log"]).toMatchObject({ collection: "log" });
  });

  test("keeps every other byte, and follows a link instead of replacing it", async () => {
    const text = `{\n\t"policy":   "rules",\n\t"corpora": {\n\t\t"notes": "notes"\n\t}\n}\n`;
    writeFileSync(join(home, "real.json"), text);
    symlinkSync(join(home, "real.json"), projectFile);
    await writeCorpusEntry(projectFile, "log", "logs");
    expect(readFileSync(join(home, "real.json"), "utf8")).toBe(
      text.replace('"notes": "notes"', '"notes": "notes",\n\t\t"log": "logs"'),
    );
  });

  test.each(["[]", "{", '{"corpora": []}', "null", '"x"'])("%s is left as it is", async (text) => {
    writeFileSync(projectFile, text);
    await expect(writeCorpusEntry(projectFile, "log", entry)).rejects.toMatchObject({ code: "invalid_config" });
    expect(readFileSync(projectFile, "utf8")).toBe(text);
  });
});
