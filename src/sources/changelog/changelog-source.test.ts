import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SourceDocument } from "../../core/types.ts";
import { createChangelogSource } from "./changelog-source.ts";

const signal = new AbortController().signal;
let base: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "winnow-changelog-")));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(base, path)), { recursive: true });
  writeFileSync(join(base, path), text);
}

function git(folder: string, ...args: string[]): string {
  const settings = ["-c", "user.name=Tester", "-c", "user.email=tester@example.com", "-c", "commit.gpgsign=false"];
  const env = {
    ...process.env,
    GIT_AUTHOR_DATE: "2026-05-14T10:00:00+02:00",
    GIT_COMMITTER_DATE: "2026-05-14T10:00:00Z",
  };
  return execFileSync("git", ["-C", join(base, folder), ...settings, ...args], { encoding: "utf8", env });
}

async function listOf(...roots: string[]) {
  const source = createChangelogSource({ roots: roots.map((root) => join(base, root)), base });
  const listed = [];
  for await (const one of source.list(signal)) listed.push(one);
  return { source, listed };
}

async function documentsOf(...roots: string[]): Promise<SourceDocument[]> {
  const { source, listed } = await listOf(...roots);
  const documents: SourceDocument[] = [];
  for (const one of listed) {
    if (!("item" in one)) continue;
    const outcome = await source.read(one.item, signal);
    if ("documents" in outcome) documents.push(...outcome.documents);
  }
  return documents;
}

describe("createChangelogSource", () => {
  it("takes every entry of a folder, with the date that it says it is of", async () => {
    put("log/2026-05-14_queue.md", "# Queue\n\nMoved.\n");
    put("log/pool.md", "---\ndate: 2026-04-02\n---\n# Pool\n");
    put("log/picture.png", "x");
    const documents = await documentsOf("log");
    expect(documents.map(({ id, metadata }) => [id, metadata["modified"], metadata["kind"]])).toEqual([
      ["log/2026-05-14_queue.md", "2026-05-14", "entry"],
      ["log/pool.md", "2026-04-02", "entry"],
    ]);
  });

  it("makes a document of every version, each with an id of its own", async () => {
    put("CHANGELOG.md", "# Changelog\n\n## [1.1.0] - 2026-05-01\n### Added\n- B\n## 1.0.0\n- A\n## 1.0.0\n- Again\n");
    const documents = await documentsOf("CHANGELOG.md");
    expect(documents.map(({ id, text }) => [id, text.split("\n").at(-2)])).toEqual([
      ["CHANGELOG.md#1.1.0", "- B"],
      ["CHANGELOG.md#1.0.0", "- A"],
      ["CHANGELOG.md#1.0.0-2", "- Again"],
    ]);
    expect(documents[0]?.metadata).toMatchObject({ version: "1.1.0", modified: "2026-05-01", changes: ["Added"] });
  });

  it("reads the history of a repository beside its entries, and nothing else of it", async () => {
    put("kit/src/code.ts", "export {};\n");
    put("kit/docs/guide.md", "# Guide\n");
    put("kit/changelog/one.md", "# One\n");
    git("kit", "init", "-q", "-b", "main");
    git("kit", "add", ".");
    git("kit", "commit", "-qm", "Close the pool on shutdown", "-m", "It leaked.\u001b[31m");
    const documents = await documentsOf("kit");
    expect(documents.map(({ id }) => id)).toEqual([
      `kit/.git/log#${git("kit", "rev-parse", "HEAD").slice(0, 12)}`,
      "kit/changelog/one.md",
    ]);
    const [commit] = documents;
    expect(commit).toMatchObject({ title: "Close the pool on shutdown" });
    expect(commit?.text).not.toContain("\u001b");
    expect(commit?.metadata).toMatchObject({
      kind: "commit",
      modified: "2026-05-14T08:00:00.000Z",
      repository: "kit",
      files: ["changelog/one.md", "docs/guide.md", "src/code.ts"],
    });
    expect(documents[1]?.metadata["repository"]).toBe("kit");
  });

  it("notices a new commit by the listing alone", async () => {
    put("kit/a.md", "a");
    git("kit", "init", "-q");
    git("kit", "add", ".");
    git("kit", "commit", "-qm", "One");
    const before = (await listOf("kit")).listed[0];
    git("kit", "commit", "-q", "--allow-empty", "-m", "Two");
    const after = (await listOf("kit")).listed[0];
    expect(before).not.toEqual(after);
    expect(await documentsOf("kit")).toHaveLength(2);
  });

  it("runs nothing that the repository's own configuration names", async () => {
    put("kit/a.md", "a");
    git("kit", "init", "-q");
    git("kit", "add", ".");
    git("kit", "commit", "-qm", "One");
    const trap = join(base, "trap.sh");
    writeFileSync(trap, `#!/bin/sh\ntouch ${join(base, "ran")}\n`, { mode: 0o755 });
    for (const key of ["gpg.program", "core.fsmonitor", "diff.external", "core.pager"]) git("kit", "config", key, trap);
    git("kit", "config", "log.showSignature", "true");
    expect(await documentsOf("kit")).toHaveLength(1);
    await expect(import("node:fs/promises").then(({ stat }) => stat(join(base, "ran")))).rejects.toThrow();
  });

  it("says why a repository has no history, and reads the rest", async () => {
    put("kit/.git", "nonsense");
    put("kit/CHANGELOG.md", "## 1.0.0\n- A\n");
    const { listed } = await listOf("kit");
    expect(listed).toMatchObject([
      { skipped: { key: "kit/.git/log", reason: "unreadable" } },
      { item: { key: "kit/CHANGELOG.md" } },
    ]);
  });

  it("follows the title of a commit by its body, else by its files on one line", async () => {
    put("kit/a.md", "a");
    put("kit/b/c.ts", "c");
    git("kit", "init", "-q");
    git("kit", "add", ".");
    git("kit", "commit", "-qm", "One");
    git("kit", "commit", "-q", "--allow-empty", "-m", "Two", "-m", "Its body.");
    const [two, one] = await documentsOf("kit");
    expect(one?.text).toBe("One\n\nFiles: a.md, b/c.ts\n");
    expect(two?.text).toBe("Two\n\nIts body.\n");
  });
});

describe("a history that lies elsewhere", () => {
  const FOREIGN = "Secret of another repository";

  function repository(folder: string, subject: string): void {
    put(`${folder}/a.md`, "a");
    git(folder, "init", "-q");
    git(folder, "add", ".");
    git(folder, "commit", "-qm", subject);
  }

  /** What is in a folder that somebody else packed: no text of the other repository may come out of it. */
  async function expectRefused(): Promise<void> {
    put("hostile/CHANGELOG.md", "## 1.0.0\n- A\n");
    const { listed, source } = await listOf("hostile");
    const log = listed.find((one) => "skipped" in one);
    expect(log).toMatchObject({ skipped: { key: "hostile/.git/log", reason: "outside_root" } });
    expect("skipped" in (log ?? {}) && JSON.stringify(log)).toContain("The history lies outside");
    expect(JSON.stringify(await documentsOf("hostile"))).not.toContain(FOREIGN);
    // It may have been pointed elsewhere after the listing.
    const item = { key: "hostile/.git/log", location: join(base, "hostile"), bytes: 0, mtimeMs: 0 };
    expect(await source.read(item, signal)).toMatchObject({ skipped: { reason: "outside_root" } });
    expect(await source.hash(item, signal)).toBeUndefined();
  }

  it("is not read through a file that points to it", async () => {
    repository("theirs", FOREIGN);
    put("hostile/.git", `gitdir: ${join(base, "theirs/.git")}\n`);
    await expectRefused();
  });

  it("is not read through links: the folder, its objects, one of their folders", async () => {
    repository("theirs", FOREIGN);
    mkdirSync(join(base, "hostile"));
    symlinkSync(join(base, "theirs/.git"), join(base, "hostile/.git"));
    await expectRefused();
    rmSync(join(base, "hostile"), { recursive: true });
    const commit = git("theirs", "rev-parse", "HEAD").trim();
    for (const linked of ["objects", `objects/${commit.slice(0, 2)}`]) {
      repository("hostile", "Mine");
      rmSync(join(base, "hostile/.git", linked), { recursive: true, force: true });
      symlinkSync(join(base, "theirs/.git", linked), join(base, "hostile/.git", linked));
      await expectRefused();
      rmSync(join(base, "hostile"), { recursive: true });
    }
  });

  it("is not read through alternates, also not those of a store inside", async () => {
    repository("theirs", FOREIGN);
    repository("hostile", "Mine");
    const commit = git("theirs", "rev-parse", "HEAD");
    put("hostile/.git/objects/info/alternates", `${join(base, "theirs/.git/objects")}\n`);
    put("hostile/.git/refs/heads/x", commit);
    put("hostile/.git/HEAD", "ref: refs/heads/x\n");
    await expectRefused();
    put("hostile/.git/objects/info/alternates", "../inner\n");
    put("hostile/.git/inner/info/alternates", `${join(base, "theirs/.git/objects")}\n`);
    await expectRefused();
  });

  it("is not read through a common folder, nor as a work tree that its repository does not name", async () => {
    repository("theirs", FOREIGN);
    git("theirs", "worktree", "add", "-q", "--detach", join(base, "linked"));
    repository("hostile", "Mine");
    put("hostile/.git/commondir", join(base, "theirs/.git"));
    await expectRefused();
    rmSync(join(base, "hostile"), { recursive: true });
    put("hostile/.git", `gitdir: ${join(base, "theirs/.git/worktrees/linked")}\n`);
    await expectRefused();
  });

  it("is not looked for further up, where the folder has none of its own", async () => {
    repository(".", FOREIGN);
    mkdirSync(join(base, "hostile/.git/objects"), { recursive: true });
    put("hostile/.git/HEAD", "x");
    expect(JSON.stringify(await documentsOf("hostile"))).not.toContain(FOREIGN);
  });

  it("is read where the repository names the work tree: a linked one, a submodule", async () => {
    repository("part", "Of the part");
    repository("main", "Of the whole");
    git("main", "worktree", "add", "-q", "--detach", join(base, "linked"));
    git("main", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", join(base, "part"), "part");
    expect((await documentsOf("linked")).map(({ title }) => title)).toEqual(["Of the whole"]);
    expect((await documentsOf("main/part")).map(({ title }) => title)).toEqual(["Of the part"]);
  });

  it("is not read in place of the folder's own because the environment says so", async () => {
    repository("theirs", FOREIGN);
    repository("mine", "Mine");
    vi.stubEnv("GIT_DIR", join(base, "theirs/.git"));
    const documents = await documentsOf("mine");
    vi.unstubAllEnvs();
    expect(documents.map(({ title }) => title)).toEqual(["Mine"]);
  });
});
