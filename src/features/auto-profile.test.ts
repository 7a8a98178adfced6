import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadConfig } from "../config/config.ts";
import { readRecord } from "../record/reader.ts";
import { answerOf, searchFor } from "../testing/harmony-fixture.ts";
import { startWireServer, type WireServer } from "../testing/wire-server.ts";
import { modelPolicyFor } from "./choose-policy.ts";
import { doctor } from "./doctor.ts";
import { evaluateDataset } from "./evaluate-dataset.ts";
import { indexCorpus } from "./index-corpus.ts";
import { renderConversationText } from "./render-conversation.ts";
import { searchWorkspace } from "./search-workspace.ts";
import { openWorkspace } from "./workspace.ts";

const POLICY = "harmony:chromadb/context-1";
let root = "";
let environment: Readonly<Record<string, string>>;
let server: WireServer;
const { signal } = new AbortController();
/** The first index of a process loads the store, which a busy machine takes long for. */
const HOOK_MS = 60_000;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "winnow-auto-profile-"));
  environment = { XDG_CONFIG_HOME: join(root, "config") };
  await mkdir(join(root, "docs"));
  await writeFile(join(root, "docs", "a.md"), "# Retries\n\nFive attempts.\n");
  await indexCorpus({ folder: join(root, ".winnow"), paths: [join(root, "docs")], embedder: { spec: "none" } });
  const abstains = await answerOf("<|channel|>final<|message|><NoDocument/><|return|>");
  server = await startWireServer({ replies: [await answerOf(searchFor("retries")), abstains] });
}, HOOK_MS);
afterAll(async () => {
  await server.close();
  await rm(root, { recursive: true, force: true });
});

test("a search of a workspace, as MCP, HTTP and TypeScript run it, has the profile that fits its policy", async () => {
  for (const [policy, baseUrl, expected] of [
    [POLICY, server.baseUrl, "context-1-report"],
    ["rules", undefined, "chat"],
  ] as const) {
    const reached = baseUrl === undefined ? {} : { baseUrl };
    const workspace = await openWorkspace({ workingFolder: root, environment, policy, ...reached });
    try {
      const run = await searchWorkspace(workspace, { question: "How many attempts?" });
      const { recordPath, error } = await run.result;
      expect(error).toBeUndefined();
      expect((await readRecord(recordPath ?? "")).header.profile).toMatchObject({ name: expected });
    } finally {
      await workspace.close();
    }
  }
});

test("the configuration's profile holds before the one that fits", async () => {
  await writeFile(join(root, "winnow.json"), '{"profile": "context-1"}');
  const { baseUrl } = server;
  const workspace = await openWorkspace({ workingFolder: root, environment, policy: POLICY, baseUrl });
  try {
    const { recordPath } = await (await searchWorkspace(workspace, { question: "How many attempts?" })).result;
    expect((await readRecord(recordPath ?? "")).header.profile).toMatchObject({ name: "context-1" });
  } finally {
    await workspace.close();
    await rm(join(root, "winnow.json"));
  }
});

test("an evaluation has it, and another policy another one", async () => {
  const files = {
    "corpus.jsonl": '{"_id": "a", "title": "Retries", "text": "Five attempts."}\n',
    "queries.jsonl": '{"_id": "q", "text": "How many attempts?"}\n',
    "qrels.tsv": "query-id\tcorpus-id\tscore\nq\ta\t1\n",
  };
  await mkdir(join(root, "set"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, "set", name), text);
  const model = await modelPolicyFor(POLICY, { baseUrl: server.baseUrl });
  const profiles: string[] = [];
  for (const policy of [POLICY, "rules"]) {
    const started = await evaluateDataset({
      ...{ dataset: join(root, "set"), cacheFolder: join(root, "cache"), policy, profile: "auto" },
      ...{ k: 10, concurrency: 1, seed: 0, limit: 1, signal },
      ...(policy === POLICY && model !== undefined ? { createPolicy: () => model } : {}),
    });
    profiles.push((await started.evaluation.result).profile);
    await started.close();
  }
  expect(profiles).toEqual([expect.stringMatching(/^context-1-report@/), expect.stringMatching(/^chat@/)]);
});

test("what is rendered for a harmony policy has it", async () => {
  const { profile } = await renderConversationText('{"query": "Who?"}', "c.json", { profile: "auto", now: 0 });
  expect(profile).toBe("context-1-report");
});

test("doctor names the origin and what it means under the policy", async () => {
  const config = await loadConfig(root, environment);
  const scope = { workingFolder: root, named: [], known: {}, mirrorGigabytes: 1 };
  const profileIn = ({ settings }: Awaited<ReturnType<typeof doctor>>) =>
    settings.find(({ name }) => name === "profile");
  const plain = { name: "profile", value: "auto", origin: "default" };
  expect(profileIn(await doctor(config, scope))).toEqual({ ...plain, resolved: "chat under rules" });
  const asked = await doctor(config, scope, { policy: { spec: POLICY, access: { baseUrl: server.baseUrl } } });
  expect(profileIn(asked)).toEqual({ ...plain, resolved: `context-1-report under ${POLICY}` });
});
