import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig } from "./config.ts";

let home: string;
let project: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "winnow-config-"));
  project = join(home, "project");
  mkdirSync(join(home, "config", "winnow"), { recursive: true });
  mkdirSync(project);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const load = () => loadConfig(project, { XDG_CONFIG_HOME: join(home, "config") });
const ofUser = (settings: unknown) =>
  writeFileSync(join(home, "config", "winnow", "config.json"), JSON.stringify(settings));
const ofProject = (settings: unknown) => writeFileSync(join(project, "winnow.json"), JSON.stringify(settings));

test("the user decides where data goes; a project file may not", async () => {
  ofUser({ baseUrl: "http://gpu:8000/v1", apiKeyEnv: "GPU_KEY" });
  expect((await load()).settings).toMatchObject({ baseUrl: "http://gpu:8000/v1", apiKeyEnv: "GPU_KEY" });
  for (const settings of [{ baseUrl: "https://elsewhere.example/v1" }, { apiKeyEnv: "AWS_SECRET_ACCESS_KEY" }]) {
    ofProject(settings);
    await expect(load()).rejects.toMatchObject({
      code: "invalid_config",
      message: expect.stringMatching(/may not set/),
    });
  }
});

test("prices of both files count, and the project's win", async () => {
  ofUser({ prices: { a: { input: 1, output: 2 }, b: { input: 1, output: 2 } } });
  ofProject({ prices: { b: { input: 3, output: 4, cachedInput: 0.3 } } });
  expect((await load()).settings.prices).toEqual({
    a: { input: 1, output: 2 },
    b: { input: 3, output: 4, cachedInput: 0.3 },
  });
});

test.each([
  [{ prices: { a: { input: -1, output: 2 } } }, /prices/],
  [{ prices: { a: { input: 1 } } }, /prices/],
  [{ reasoning: "lots" }, /reasoning/],
  [{ requestSeconds: 0 }, /requestSeconds/],
  [{ apiKeyEnv: "sk-0123456789" }, /name of a variable/],
])("%j is refused", async (settings, message) => {
  ofUser(settings);
  await expect(load()).rejects.toMatchObject({ code: "invalid_config", message: expect.stringMatching(message) });
});
