import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ClaudeTranscript } from "../testing/claude-transcript.ts";
import { findDocuments } from "./find-documents.ts";
import { grantLeave } from "./grant-leave.ts";
import { forgetPath, indexCorpus } from "./index-corpus.ts";
import { locateCorpora, openCorpora, targetFolder } from "./open-corpora.ts";

/** Folders that somebody else made, with an index in them that asks for more than is theirs. */
let home: string;
let evil: string;
let secrets: string;
beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), "winnow-foreign-")));
  [evil, secrets] = [join(home, "evil"), join(home, ".ssh")];
  await mkdir(evil);
  await mkdir(secrets);
  await writeFile(join(evil, "a.md"), "hello walrus\n");
  await writeFile(join(secrets, "note.md"), "first walrus\n");
});
afterEach(() => rm(home, { recursive: true, force: true }));

const scope = (workingFolder: string) => ({ workingFolder, named: [], known: {} });

async function found(folder: string, text: string): Promise<readonly string[]> {
  const corpora = await openCorpora(scope(folder));
  try {
    return (await findDocuments(corpora, { text, mode: "lexical", documentsMax: 9 })).documents.map(({ uri }) => uri);
  } finally {
    await Promise.all(corpora.map((corpus) => corpus.close()));
  }
}

describe("an index that came with a folder", () => {
  test("reads nothing outside of it by a refresh, until the user names it", async () => {
    const folder = join(evil, ".winnow");
    await indexCorpus({ folder, paths: [evil, secrets] });
    const clone = join(home, "clone");
    await cp(evil, clone, { recursive: true });
    await writeFile(join(secrets, "later.md"), "okapi key\n");
    await writeFile(join(clone, "b.md"), "okapi of the clone\n");
    const summary = await indexCorpus({ folder: join(clone, ".winnow"), paths: [] });
    expect(summary.added).toBe(1);
    expect(summary.notices.join()).toMatch(/\.ssh is outside .* nobody has agreed/);
    expect(await found(clone, "okapi")).toEqual([join(clone, "b.md")]);

    const environment = { XDG_CONFIG_HOME: join(home, "config") };
    const leave = { folder: join(clone, ".winnow"), paths: [join(clone, "a.md"), secrets], mayRead: {}, environment };
    expect(await grantLeave(leave)).toEqual([secrets]);
    const { mayRead } = JSON.parse(await readFile(join(home, "config", "winnow", "config.json"), "utf8"));
    expect(mayRead).toEqual({ [clone]: [secrets] });
    expect(await grantLeave({ ...leave, mayRead })).toEqual([]);
    const agreed = await indexCorpus({ folder: join(clone, ".winnow"), paths: [], mayRead });
    expect(agreed).toMatchObject({ added: 1, notices: [] });
    expect(await found(clone, "okapi")).toHaveLength(2);
  });

  test("reads no transcripts by a refresh, wherever they lie", async () => {
    const transcript = new ClaudeTranscript();
    transcript.user("Where is the walrus?");
    transcript.assistant("In the harbour.");
    await mkdir(join(evil, "sessions"));
    await writeFile(join(evil, "sessions", "one.jsonl"), transcript.text);
    const folder = join(evil, ".winnow");
    await indexCorpus({ folder, paths: [join(evil, "sessions")], source: "claude-sessions" });
    transcript.assistant("An okapi came, too.");
    await writeFile(join(evil, "sessions", "one.jsonl"), transcript.text);
    const refused = { code: "invalid_config", message: expect.stringContaining("holds what agents saw and did") };
    await expect(indexCorpus({ folder, paths: [] })).rejects.toMatchObject(refused);
    expect(await found(evil, "okapi")).toEqual([]);
  });

  test("that is a link to the index of another project is not used for this one", async () => {
    const victim = join(home, "victim");
    await mkdir(victim);
    await writeFile(join(victim, "v.md"), "okapi of the victim\n");
    await indexCorpus({ folder: join(victim, ".winnow"), paths: [victim] });
    await symlink(join(victim, ".winnow"), join(evil, ".winnow"));
    await expect(locateCorpora(scope(evil))).rejects.toMatchObject({ code: "invalid_argument" });
    await expect(targetFolder(scope(evil))).rejects.toMatchObject({ message: expect.stringContaining("is a link") });
    // Who names the place means it.
    const [place] = await locateCorpora({ ...scope(evil), named: [join(victim, ".winnow")] });
    expect(place?.folder).toBe(join(victim, ".winnow"));
  });

  test("is not written behind a link either", async () => {
    await mkdir(join(home, "target"));
    await symlink(join(home, "target"), join(evil, ".winnow"));
    await expect(targetFolder(scope(evil))).rejects.toMatchObject({ code: "invalid_argument" });
  });
});

test("what was forgotten of a configured corpus stays forgotten when it is refreshed", async () => {
  const [folder, docs] = [join(evil, ".winnow", "corpora", "notes"), join(evil, "docs")];
  await mkdir(docs);
  for (const name of ["kept", "gone"]) await writeFile(join(docs, `${name}.md`), `${name} okapi\n`);
  const refresh = () => indexCorpus({ folder, paths: [docs], only: true });
  await refresh();
  await forgetPath({ folder, path: join(docs, "gone.md") });
  expect(await refresh()).toMatchObject({ added: 0, documents: 1 });
  expect(await indexCorpus({ folder, paths: [docs], only: true, rebuild: true })).toMatchObject({ documents: 2 });
});
