import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFilesSource } from "./files/files-source.ts";
import { repositoryFinder } from "./repository.ts";

let base = "";
beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), "winnow-repository-")));
  for (const folder of ["billing/.git", "billing/docs/deep", "plain", "tree/docs", "module", "odd/.git-not"]) {
    await mkdir(join(base, folder), { recursive: true });
  }
  await writeFile(join(base, "tree", ".git"), `gitdir: ${join(base, "billing")}/.git/worktrees/tree\n`);
  await writeFile(join(base, "module", ".git"), "gitdir: ../billing/.git/modules/module\n");
});
afterAll(() => rm(base, { recursive: true, force: true }));

test("the nearest .git upwards names the repository, and a second working tree is of the first", async () => {
  const repositoryOf = repositoryFinder();
  const named = (folder: string) => repositoryOf(join(base, folder));
  expect(await named("billing/docs/deep")).toBe("billing");
  expect(await named("billing")).toBe("billing");
  expect(await named("plain")).toBeUndefined();
  expect(await named("odd")).toBeUndefined();
  expect(await named("billing/not/there")).toBe("billing");
  expect(await named("tree/docs")).toBe("billing");
  expect(await named("module")).toBe("module");
});

test("files of a repository say so, unless they name one themselves", async () => {
  await writeFile(join(base, "billing", "a.md"), "# A\n");
  await writeFile(join(base, "billing", "b.md"), "---\nrepo: ledger\n---\n# B\n");
  await writeFile(
    join(base, "billing", "rows.jsonl"),
    '{"id":"1","text":"one"}\n{"id":"2","text":"two","project":"x"}\n',
  );
  await writeFile(join(base, "plain", "c.md"), "# C\n");
  const source = createFilesSource({ roots: [base], base });
  const { signal } = new AbortController();
  const named: Record<string, unknown> = {};
  for await (const listed of source.list(signal)) {
    if (!("item" in listed)) continue;
    const outcome = await source.read(listed.item, signal);
    if (!("documents" in outcome)) continue;
    for (const { id, metadata } of outcome.documents) named[id] = metadata["repository"];
  }
  expect(named).toEqual({
    "billing/a.md": "billing",
    "billing/b.md": undefined,
    "billing/rows.jsonl#1": "billing",
    "billing/rows.jsonl#2": undefined,
    "plain/c.md": undefined,
  });
});
