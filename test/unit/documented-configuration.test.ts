import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadConfig } from "../../src/config/config.ts";

const PAGES = ["scale", "corpora", "chroma"];

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "winnow-documented-"));
  await mkdir(join(home, "winnow"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** What a page shows as configuration, whole files only. */
async function configurationsOf(page: string): Promise<string[]> {
  const text = await readFile(fileURLToPath(new URL(`../../docs/${page}.md`, import.meta.url)), "utf8");
  return [...text.matchAll(/```json\n(.*?)```/gs)].flatMap(([, block = ""]) => (block.startsWith("{") ? [block] : []));
}

test.each(PAGES)("what docs/%s.md shows as configuration is taken as such", async (page) => {
  const blocks = await configurationsOf(page);
  expect(blocks.length).toBeGreaterThan(0);
  for (const block of blocks) {
    await writeFile(join(home, "winnow", "config.json"), block);
    const { settings } = await loadConfig(home, { XDG_CONFIG_HOME: home });
    const given = JSON.parse(block);
    expect(Object.keys(settings.corpora)).toEqual(Object.keys(given.corpora ?? {}));
    const { corpora, ...plain } = given;
    expect(settings).toMatchObject(plain);
  }
});
