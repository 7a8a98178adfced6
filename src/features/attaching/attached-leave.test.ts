import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../config/config.ts";
import type { ChromaEntry } from "../../config/corpora.ts";
import { ChromaPlaces } from "../../retrieval/chroma/shared-places.ts";
import { MemoryCollection, memoryChroma } from "../../testing/memory-chroma.ts";
import { openAttachSession } from "../attach-collections.ts";
import { findDocuments } from "../find-documents.ts";
import { recentDocuments } from "../recent-documents.ts";
import { refreshConfigured } from "../refresh-configured.ts";
import { refusedAttached } from "./attached-leave.ts";
import { attachedStatus } from "./attached-status.ts";
import { indexAttached } from "./index-attached.ts";
import { openAttached } from "./open-attached.ts";

let home: string;
let project: string;
let environment: Record<string, string>;
let userFile: string;
let reached: string[];
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "winnow-leave-")));
  project = join(home, "work", "cloned");
  environment = { HOME: home, XDG_CONFIG_HOME: join(home, "config") };
  userFile = join(home, "config", "winnow", "config.json");
  reached = [];
  for (const folder of [join(home, ".memory", "chroma"), join(home, "other"), join(project, "data")]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "chroma.sqlite3"), "x");
  }
  mkdirSync(join(home, "config", "winnow"), { recursive: true });
  symlinkSync(join(home, ".memory", "chroma"), join(project, "lnk"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const records = [0, 1].map((at) => ({ id: `r${at}`, document: `lighthouse ${at}`, metadata: { path: `/x/${at}.md` } }));
const places = () =>
  new ChromaPlaces({
    keep: true,
    open: async ({ place }) => {
      reached.push(place);
      return memoryChroma([new MemoryCollection({ name: "docs" }, records)]);
    },
  });
const written = { collection: "docs", role: "documents", documentKey: "path", embedder: "none" };
const write = (file: string, chroma: string, more: object = {}): void =>
  writeFileSync(file, JSON.stringify({ corpora: { notes: { ...written, chroma, ...more } } }));
const entryOf = async (): Promise<ChromaEntry> => {
  const entry = (await loadConfig(project, environment)).settings.corpora["notes"];
  if (entry?.kind !== "chroma") throw new Error("notes is attached");
  return entry;
};
const open = async () =>
  openAttached({
    name: "notes",
    entry: await entryOf(),
    places: places(),
    environment,
    embedQuery: () => Promise.reject(new Error("nothing is embedded")),
  });
const index = async () => indexAttached({ name: "notes", entry: await entryOf(), places: places(), environment });
const attach = async (place: string) => {
  const session = await openAttachSession({
    place,
    access: {},
    workingFolder: project,
    environment,
    places: places(),
  });
  const attached = await session.inspect({ collection: "docs", name: "notes", flags: { embedder: "none" } }, {});
  await session.index(attached, {});
  const granted = await session.write(attached);
  await session.close();
  return granted;
};
const mayRead = () => JSON.parse(readFileSync(userFile, "utf8")).mayRead;

const OUTSIDE = ["../../.memory/chroma", "lnk", "../.././.memory/chroma", "http://127.0.0.1:8000", "..", "../.."];

describe("what a project's file attaches outside of its folder", () => {
  test.each(OUTSIDE)("%s is not indexed because the file says so", async (place) => {
    write(join(project, "winnow.json"), place);
    const scope = { workingFolder: project, named: [], known: { notes: await entryOf() } };
    const [refreshed] = await refreshConfigured({ scope, names: ["notes"], environment });
    const { place: named } = await entryOf();
    expect(refreshed).toMatchObject({
      leftOut: true,
      error: {
        code: "invalid_config",
        message: expect.stringContaining(
          `asks to read ${named}${place === "lnk" ? ` (a link to ${join(home, ".memory", "chroma")})` : ""}, which is outside of it`,
        ),
        hint: expect.stringMatching(/^Agree only if you know why.*winnow attach .* docs --name notes /),
      },
    });
    await expect(index()).rejects.toMatchObject({ code: "invalid_config" });
    expect(reached).toEqual([]);
  });

  test.each(OUTSIDE)("%s is not asked either where the folder brings an index of the words", async (place) => {
    write(join(project, "winnow.json"), "data");
    await index();
    reached.length = 0;
    write(join(project, "winnow.json"), place, { embedder: "minilm" });
    const corpus = await open();
    const notice = { code: "left_out", message: expect.stringMatching(/outside of it.*Agree only if you know why/) };
    const found = await findDocuments([corpus], { text: "lighthouse", mode: "hybrid", documentsMax: 5 });
    expect(found).toMatchObject({ documents: [], notices: [notice] });
    const matched = await findDocuments([corpus], { text: "light", mode: "grep", documentsMax: 5 });
    expect(matched).toMatchObject({ documents: [], notices: [notice] });
    expect(await recentDocuments([corpus], { now: Date.now() })).toMatchObject({ documents: 0, notices: [notice] });
    await expect(corpus.read({ documentId: "/x/0.md" })).rejects.toMatchObject({ code: "document_not_found" });
    expect(await attachedStatus("notes", await entryOf())).toMatchObject({ state: "refused" });
    expect(reached).toEqual([]);
  });

  test("what lies in its own folder, and what the user's own file names, needs no leave", async () => {
    write(join(project, "winnow.json"), "data");
    expect(await index()).toMatchObject({ documents: 2 });
    rmSync(join(project, "winnow.json"));
    for (const place of [join(home, ".memory", "chroma"), "http://127.0.0.1:8000"]) {
      write(userFile, place);
      expect(await refusedAttached("notes", await entryOf())).toBeUndefined();
    }
  });

  test("a server of this machine that holds a copy needs leave as well, and attaching again gives none for it", async () => {
    await attach("http://127.0.0.1:8000");
    write(join(project, "winnow.json"), "http://127.0.0.1:8000", { replicas: ["http://127.0.0.1:8001"] });
    expect(await refusedAttached("notes", await entryOf())).toMatchObject({
      message: expect.stringContaining("http://127.0.0.1:8001"),
      hint: expect.stringContaining(userFile),
    });
    writeFileSync(
      userFile,
      JSON.stringify({ mayRead: { [project]: ["http://127.0.0.1:8000", "http://127.0.0.1:8001/"] } }),
    );
    expect(await refusedAttached("notes", await entryOf())).toBeUndefined();
  });

  test("the command in the hint is one command, whatever the file holds", async () => {
    write(join(project, "winnow.json"), "../../other", { collection: "a; touch x", documentKey: "$(touch y)" });
    expect((await refusedAttached("notes", await entryOf()))?.hint).toContain(
      `winnow attach ${join(home, "other")} 'a; touch x' --name notes --role documents --document-key '$(touch y)'`,
    );
  });

  test("a directory that is opened in place may not lead out of the folder by links in it", async () => {
    write(join(project, "winnow.json"), "data", { inPlace: true });
    expect(await refusedAttached("notes", await entryOf())).toBeUndefined();
    symlinkSync(join(home, "other"), join(project, "data", "segment"));
    expect(await refusedAttached("notes", await entryOf())).toMatchObject({
      code: "invalid_config",
      message: expect.stringContaining("holds links"),
    });
  });
});

describe("attaching is how the user agrees", () => {
  test.each([
    ["a directory", "../../other", () => join(home, "other")],
    ["a link, as what it leads to", "lnk", () => join(home, ".memory", "chroma")],
    ["an address", "http://127.0.0.1:8000", () => "http://127.0.0.1:8000"],
  ])("to %s", async (_what, place, noted) => {
    writeFileSync(userFile, JSON.stringify({ mayRead: { "/elsewhere": ["/x"] } }));
    expect(await attach(place)).toEqual([noted()]);
    expect(mayRead()).toEqual({ "/elsewhere": ["/x"], [project]: [noted()] });
    expect(await attach(place)).toEqual([]);
    expect(await index()).toMatchObject({ documents: 2 });
    const corpus = await open();
    const found = await findDocuments([corpus], { text: "lighthouse", mode: "hybrid", documentsMax: 5 });
    expect(found).toMatchObject({ documents: [{}, {}], notices: [] });
    await corpus.close();
  });

  test("and nothing is noted for what lies in the folder", async () => {
    expect(await attach("data")).toEqual([]);
    expect(() => mayRead()).toThrow();
  });

  test("to where a link leads then, and not to where the folder leads it later", async () => {
    await attach("lnk");
    rmSync(join(project, "lnk"));
    symlinkSync(join(home, "other"), join(project, "lnk"));
    expect(await refusedAttached("notes", await entryOf())).toMatchObject({ code: "invalid_config" });
    writeFileSync(userFile, JSON.stringify({ mayRead: { [project]: [join(project, "lnk")] } }));
    expect(await refusedAttached("notes", await entryOf())).toMatchObject({ code: "invalid_config" });
  });

  test("to one place, and to no other of another folder", async () => {
    await attach("../../other");
    write(join(project, "winnow.json"), "../../.memory/chroma");
    expect(await refusedAttached("notes", await entryOf())).toMatchObject({ code: "invalid_config" });
    write(join(project, "winnow.json"), "http://127.0.0.1:8000");
    expect(await refusedAttached("notes", await entryOf())).toMatchObject({ code: "invalid_config" });
  });
});
