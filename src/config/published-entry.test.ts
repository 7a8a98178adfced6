import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig } from "./config.ts";

let home: string;
let project: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "winnow-config-"));
  project = join(home, "project");
  await mkdir(join(home, "winnow"));
  await mkdir(project);
});
afterEach(() => rm(home, { recursive: true, force: true }));

const ours = (settings: unknown) => writeFile(join(project, "winnow.json"), JSON.stringify(settings));
const users = (settings: unknown) => writeFile(join(home, "winnow", "config.json"), JSON.stringify(settings));
const load = async () => (await loadConfig(project, { XDG_CONFIG_HOME: home })).settings;

test("an address of an object store is a published index; in a project's file it needs leave", async () => {
  await ours({ corpora: { team: "s3://team/handbook/", plain: "docs" } });
  await users({
    corpora: { mine: { folder: "s3://mine", role: "documents" } },
    mayRead: { [project]: ["s3://team/handbook"] },
  });
  const { corpora } = await load();
  const leave = { folder: project, granted: ["s3://team/handbook"], userFile: join(home, "winnow", "config.json") };
  expect(corpora).toEqual({
    mine: { kind: "published", address: "s3://mine", role: "documents" },
    team: { kind: "published", address: "s3://team/handbook", leave },
    plain: { kind: "folder", folder: join(project, "docs") },
  });
});

test("an address that is none is refused with the file's name", async () => {
  await ours({ corpora: { team: "s3://team/../other" } });
  await expect(load()).rejects.toMatchObject({
    code: "invalid_config",
    message: expect.stringContaining("winnow.json: s3://team/../other"),
    hint: expect.stringContaining("s3://BUCKET/PREFIX"),
  });
});

test("what there is room for is not for a project's file to say", async () => {
  await users({ mirrorGigabytes: 2.5 });
  expect((await load()).mirrorGigabytes).toBe(2.5);
  await ours({ mirrorGigabytes: 1_000 });
  await expect(load()).rejects.toMatchObject({
    code: "invalid_config",
    message: expect.stringContaining("mirrorGigabytes"),
  });
});
