import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { layOut } from "../../scripts/demo/corpus.mjs";
import * as answers from "../../src/http/answers.ts";
import { runCommand } from "../support/command.ts";
import { checkout } from "../support/packed.ts";
import { call, eventsOf, type Reply, type Served, startServe, until } from "../support/serve.ts";

const packed = inject("packed");
const folder = join(packed.folder, "serve");
const runsFolder = join(folder, ".winnow", "runs");
const QUESTION = "How do I make pino redact secrets in the logs of a Fastify route?";
const REDACTION = "docs/pino/docs/redaction.md";

const winnow = (...args: readonly string[]) => runCommand(packed.cli, args, { cwd: folder, home: packed.home });
const start = (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Served> =>
  startServe(packed, folder, args, env);
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
beforeAll(async () => {
  layOut(checkout, join(folder, "docs"));
  mkdirSync(join(folder, "notes"), { recursive: true });
  writeFileSync(join(folder, "notes", "secret.md"), "# Walruses\n\nOnly those who may read notes know the walrus.\n");
  writeFileSync(join(folder, "winnow.json"), JSON.stringify({ corpora: { notes: "notes/.winnow" } }));
  expect((await winnow("index", "docs")).code).toBe(0);
  expect(await winnow("index", "notes", "--corpus", "notes/.winnow")).toMatchObject({ code: 0 });
});

describe("on this machine, without tokens", () => {
  let server: Served;
  beforeAll(async () => {
    server = await start(["--verbose"]);
  });
  afterAll(() => server.stop());

  test("search answers with the result of a run, as the command does", async () => {
    const { status, body } = await call(server, "POST", "/v1/search", { query: QUESTION, k: 5 });
    expect(status).toBe(200);
    const result = answers.searchResult.parse(body);
    expect(result.stopReason).toBe("finished");
    expect(result.documents.length).toBeGreaterThan(0);
    expect(result.documents.length).toBeLessThanOrEqual(5);
    expect(result.documents.map(({ id }) => id)).toContain(REDACTION);
    expect(existsSync(join(runsFolder, `${result.runId}.jsonl`))).toBe(true);
  });

  test("search streams what its record holds, then the result", async () => {
    const events = await eventsOf(server, { query: QUESTION, stream: true });
    const result = answers.searchResult.parse(events.at(-1)?.data);
    expect(events.at(-1)?.event).toBe("result");
    const record = readFileSync(join(runsFolder, `${result.runId}.jsonl`), "utf8")
      .trim()
      .split("\n");
    const streamed = events.slice(0, -1).filter(({ event }) => !event.endsWith("_delta"));
    expect(streamed.map(({ data }) => data)).toEqual(record.map((line) => JSON.parse(line)));
    expect(streamed.map(({ event }) => event)).toContain("tool_result");
  });

  test("what a caller steers by holds", async () => {
    const asked = { query: QUESTION, exclude: [REDACTION], where: ["path contains pino"], k: 4 };
    const { body } = await call(server, "POST", "/v1/search", asked);
    const { documents } = answers.searchResult.parse(body);
    expect(documents.length).toBeGreaterThan(0);
    for (const { id } of documents) expect(id).toMatch(/pino/);
    expect(documents.map(({ id }) => id)).not.toContain(REDACTION);
  });

  test("find, read, brief, recent and corpora answer as they are described", async () => {
    const found = answers.foundDocuments.parse(
      (await call(server, "POST", "/v1/find", { query: "MockAgent", k: 3 })).body,
    );
    expect(found.documents).toHaveLength(3);
    const grep = await call(server, "POST", "/v1/find", { query: "Mock[A]gent", mode: "grep" });
    expect(answers.foundDocuments.parse(grep.body).matchesTotal).toBeGreaterThan(5);
    const id = found.documents[0]?.id ?? "";
    expect(id).toContain("/");
    const read = await call(server, "GET", `/v1/read?document=${encodeURIComponent(id)}&lines=1-3`);
    const part = answers.documentText.parse(read.body);
    expect(part.text).toBe(readFileSync(join(folder, id), "utf8").split("\n").slice(0, 3).join("\n"));
    const brief = await call(server, "POST", "/v1/brief", { task: "mock undici requests in tests" });
    expect(answers.brief.parse(brief.body).load.length).toBeGreaterThan(0);
    const recent = await call(server, "GET", "/v1/recent?since=2001&k=5");
    expect(answers.recent.parse(recent.body)).toMatchObject({ shown: 5, truncated: true });
    const { corpora } = answers.corporaList.parse((await call(server, "GET", "/v1/corpora")).body);
    expect(corpora.map(({ name }) => name)).toEqual(["serve"]);
  });

  test("runs are listed and read back, as JSON and as the lines that lie on disk", async () => {
    const { body } = await call(server, "POST", "/v1/search", { query: "What is a MockPool?" });
    const { runId } = answers.searchResult.parse(body);
    const list = answers.runsList.parse((await call(server, "GET", "/v1/runs?n=2")).body);
    expect(list.runs.map((run) => run.runId)).toContain(runId);
    expect(list.runs).toHaveLength(2);
    const file = readFileSync(join(runsFolder, `${runId}.jsonl`), "utf8");
    const record = answers.runRecord.parse((await call(server, "GET", `/v1/runs/${runId}`)).body);
    expect([record.header, ...record.events]).toEqual(
      file
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    );
    for (const lines of [
      await call(server, "GET", `/v1/runs/${runId}?format=jsonl`),
      await call(server, "GET", `/v1/runs/${runId}`, undefined, { accept: "application/jsonl" }),
    ]) {
      expect(lines.headers["content-type"]).toContain("application/jsonl");
      expect(lines.text).toBe(file);
    }
  });

  test("the description names every address; the state and the counts can be asked for", async () => {
    const { body } = await call(server, "GET", "/openapi.json");
    expect(Object.keys((body as { paths: object }).paths)).toEqual(
      expect.arrayContaining(["/v1/search", "/v1/runs/{id}", "/metrics", "/openapi.json", "/"]),
    );
    expect(await call(server, "GET", "/healthz")).toMatchObject({ status: 200, body: { status: "ok" } });
    expect(await call(server, "GET", "/readyz")).toMatchObject({ status: 200, body: { status: "ready" } });
    const root = await call(server, "GET", "/");
    expect(root.text).toContain("/openapi.json");
    expect(root.headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
    });
    const { text, headers } = await call(server, "GET", "/metrics");
    expect(headers["content-type"]).toContain("version=0.0.4");
    expect(Number(/winnow_runs_ended_total\{stop_reason="finished"\} (\d+)/.exec(text)?.[1])).toBeGreaterThan(1);
    expect(text).toMatch(/\nwinnow_runs_active 0\n/);
    expect(text).toMatch(/\nwinnow_find_seconds_count [1-9]/);
    expect(text).toMatch(/\nprocess_resident_memory_bytes \d{8}/);
  });

  test.each<[string, string, unknown, number, string]>([
    ["POST", "/v1/search", {}, 400, "invalid_argument"],
    ["POST", "/v1/search", "{", 400, "invalid_argument"],
    ["POST", "/v1/search", { query: "a", baseUrl: "http://127.0.0.1:1" }, 400, "invalid_argument"],
    ["POST", "/v1/search", { query: "a", apiKeyEnv: "HOME" }, 400, "invalid_argument"],
    ["POST", "/v1/search", { query: "a", policy: "openai-compatible:x" }, 403, "forbidden"],
    ["POST", "/v1/search", { query: "a", policy: "replay:/etc/passwd" }, 403, "forbidden"],
    ["POST", "/v1/search", { query: "a", rollouts: 2 }, 403, "forbidden"],
    ["POST", "/v1/search", { query: "a", where: ["pth=x"] }, 400, "invalid_filter"],
    ["POST", "/v1/search", { query: "a", corpora: ["/etc"] }, 404, "corpus_not_found"],
    ["POST", "/v1/search", { query: "a", corpora: ["notes"] }, 404, "corpus_not_found"],
    ["POST", "/v1/search", { query: "a", known: ["nowhere.md"] }, 404, "document_not_found"],
    ["POST", "/v1/find", { query: "(?=x)", mode: "grep" }, 400, "invalid_pattern"],
    ["POST", "/v1/find", { query: "x".repeat(9_000) }, 400, "invalid_argument"],
    ["POST", "/v1/find", "x".repeat(1_500_000), 413, "limit_exceeded"],
    ["GET", "/v1/read?document=../../etc/passwd", undefined, 404, "document_not_found"],
    ["GET", "/v1/read?document=/etc/passwd", undefined, 404, "document_not_found"],
    ["GET", "/v1/read?document=a&document=b", undefined, 400, "invalid_argument"],
    ["GET", "/v1/runs/..%2f..%2fcorpus.json", undefined, 404, "run_not_found"],
    ["GET", "/v1/runs/..", undefined, 404, "run_not_found"],
    ["GET", "/v1/runs/../../etc/passwd", undefined, 404, "not_found"],
    ["GET", "/v1/runs/20260101T000000-00000000.jsonl", undefined, 404, "run_not_found"],
    ["GET", "/v1/runs/2", undefined, 404, "run_not_found"],
    ["GET", "/v1/runs?n=0", undefined, 400, "invalid_argument"],
    ["GET", "/v1/corpora?corpora=notes", undefined, 400, "invalid_argument"],
    ["POST", "/v1/find?k=3", { query: "a" }, 400, "invalid_argument"],
    ["GET", "/v1/recent?since=soon", undefined, 400, "invalid_argument"],
    ["GET", "/v1/search", undefined, 405, "method_not_allowed"],
    ["DELETE", "/v1/runs", undefined, 405, "method_not_allowed"],
    ["GET", "/v1/../healthz", undefined, 404, "not_found"],
    ["GET", "//v1/corpora", undefined, 404, "not_found"],
    ["GET", "/.winnow/corpus.json", undefined, 404, "not_found"],
  ])("%s %s is refused (%#)", async (method, path, body, status, code) => {
    const reply = await call(server, method, path, body);
    expect(reply).toMatchObject({ status, body: { error: { code, message: expect.any(String) } } });
    expect(answers.errorAnswer.parse(reply.body)).toEqual(reply.body);
    expect(reply.text).not.toContain(folder);
  });

  test("pages of other sites, other names of this machine and bodies that forms can send are refused", async () => {
    const body = { query: "walrus" };
    const status = async (headers: Record<string, string>) =>
      (await call(server, "POST", "/v1/find", body, headers)).status;
    const own = new URL(server.url).host;
    expect(await status({ host: "evil.example" })).toBe(403);
    expect(await status({ origin: "https://evil.example" })).toBe(403);
    expect(await status({ origin: "null" })).toBe(403);
    expect(await status({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" })).toBe(403);
    expect(await status({ "content-type": "text/plain" })).toBe(415);
    expect(await status({ origin: `http://${own}` })).toBe(200);
    expect((await call(server, "GET", "/healthz", undefined, { host: "evil.example" })).status).toBe(403);
  });

  test("the log has a line for each request, and what was asked with --verbose only", async () => {
    await call(server, "POST", "/v1/find", { query: "a telling question" });
    await until(() => server.said.some((line) => line.includes("a telling question")), "the line");
    expect(server.said.at(-1)).toMatch(/^POST \/v1\/find 200 \d+ ms anybody "a telling question"$/);
    const quiet = await start();
    await call(quiet, "POST", "/v1/find", { query: "a telling question" });
    await call(quiet, "GET", "/v1/read?document=a-telling-name");
    await until(() => quiet.said.some((line) => line.includes("/v1/read 404")), "the line");
    expect(quiet.said.join("\n")).not.toMatch(/telling/);
    expect(await quiet.stop()).toBe(0);
  });
});

describe("tokens", () => {
  const tokens: Record<string, string> = {};
  const file = join(folder, "tokens.json");
  let server: Served;
  beforeAll(async () => {
    const make = async (name: string, ...args: string[]): Promise<void> => {
      const { code, stdout, stderr } = await winnow("serve", "--new-token", name, "--tokens", file, ...args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("shown this once") });
      tokens[name] = stdout.trim();
    };
    await make("docs", "--corpus", ".winnow");
    await make("all");
    const corpora = ["--corpus", ".winnow", "--corpus", "notes"];
    server = await start([...corpora, "--tokens", file, "--token-env", "WINNOW_TOKEN"], { WINNOW_TOKEN: "from-env" });
  });
  afterAll(() => server.stop());

  const find = (token: string, body: object): Promise<Reply> =>
    call(server, "POST", "/v1/find", { query: "walrus", ...body }, bearer(token));
  const idsOf = ({ body }: Reply): string[] => answers.foundDocuments.parse(body).documents.map(({ id }) => id);

  test("without one that is known nothing is answered but the state and the description", async () => {
    for (const authorization of ["", "Bearer", "Bearer wrong", `Basic ${tokens["all"]}`, `Bearer ${tokens["all"]}x`]) {
      const reply = await call(server, "GET", "/v1/corpora", undefined, { authorization });
      expect(reply).toMatchObject({ status: 401, body: { error: { code: "unauthorized" } } });
      expect(reply.headers["www-authenticate"]).toBe("Bearer");
    }
    expect((await call(server, "GET", "/metrics")).status).toBe(401);
    for (const path of ["/healthz", "/readyz", "/openapi.json", "/"]) {
      expect((await call(server, "GET", path)).status).toBe(200);
    }
  });

  test("a token asks the corpora that it was made for, and no others", async () => {
    for (const token of [tokens["all"] ?? "", "from-env"]) {
      expect(idsOf(await find(token, {})).join()).toContain("secret.md");
    }
    const token = tokens["docs"] ?? "";
    expect(idsOf(await find(token, {})).join()).not.toContain("secret.md");
    expect(idsOf(await find(token, { corpora: ["serve"], query: "redaction" })).length).toBeGreaterThan(0);
    for (const corpora of [["notes"], ["serve", "notes"], ["no-such"]]) {
      expect(await find(token, { corpora })).toMatchObject({ status: 403, body: { error: { code: "forbidden" } } });
    }
    const list = await call(server, "GET", "/v1/corpora", undefined, bearer(token));
    expect(answers.corporaList.parse(list.body).corpora.map(({ name }) => name)).toEqual(["serve"]);
    const read = await call(server, "GET", "/v1/read?document=notes/secret.md", undefined, bearer(token));
    expect(read.status).toBe(404);
  });

  test("a run over corpora that a token may not ask is not there for it", async () => {
    const asked = await call(server, "POST", "/v1/search", { query: "Who knows the walrus?" }, bearer("from-env"));
    const { runId, corpora } = answers.searchResult.parse(asked.body);
    expect(corpora).toEqual(["serve", "notes"]);
    const path = `/v1/runs/${runId}`;
    expect((await call(server, "GET", path, undefined, bearer("from-env"))).status).toBe(200);
    expect((await call(server, "GET", path, undefined, bearer(tokens["docs"] ?? ""))).status).toBe(404);
    const list = await call(server, "GET", "/v1/runs?n=200", undefined, bearer(tokens["docs"] ?? ""));
    const { runs } = answers.runsList.parse(list.body);
    expect(runs.map((run) => run.runId)).not.toContain(runId);
    expect(runs.length).toBeGreaterThan(0);
  });

  test("neither the file nor what the server says holds one", () => {
    const text = readFileSync(file, "utf8") + server.said.join("\n");
    for (const token of [...Object.values(tokens), "from-env"]) expect(text).not.toContain(token);
  });

  test("beyond this machine nobody is served without one, nor from a file that others may open", async () => {
    const open = await winnow("serve", "--host", "0.0.0.0", "--port", "0");
    expect(open).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(/needs a token.*\nhint: /) });
    if (process.platform === "win32") return;
    const shared = join(folder, "shared.json");
    writeFileSync(shared, readFileSync(file));
    chmodSync(shared, 0o644);
    const readable = await winnow("serve", "--port", "0", "--tokens", shared);
    expect(readable).toMatchObject({ code: 2, stderr: expect.stringContaining("chmod 600") });
    const wide = await start(["--host", "0.0.0.0", "--tokens", file]);
    const { port } = new URL(wide.url);
    const at = { url: `http://127.0.0.1:${port}` };
    expect((await call(at, "GET", "/v1/corpora")).status).toBe(401);
    expect((await call(at, "GET", "/v1/corpora", undefined, bearer(tokens["all"] ?? ""))).status).toBe(200);
    expect(await wide.stop()).toBe(0);
  });
});
