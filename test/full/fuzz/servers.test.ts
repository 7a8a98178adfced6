import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wellFormed } from "../../../src/core/text.ts";
import { indexCorpus } from "../../../src/features/index-corpus.ts";
import { OFF_TRACER } from "../../../src/features/tracing/tracer.ts";
import { openWorkspace, type Workspace } from "../../../src/features/workspace.ts";
import { ROUTES } from "../../../src/http/all-routes.ts";
import { type ApiServer, serveApi } from "../../../src/http/server.ts";
import { type HttpServer, serveOverHttp } from "../../../src/mcp/http.ts";
import type { Chance } from "../../../src/testing/fuzz/chance.ts";
import type { FuzzTarget } from "../../../src/testing/fuzz/fuzz.ts";
import { mutate } from "../../../src/testing/fuzz/mutate.ts";
import { fuzzTests } from "../../support/fuzz-tests.ts";

const ANSWER_MS_MAX = 20_000;
const TAKEN_BACK_MS = 200;
const folder = mkdtempSync(join(tmpdir(), "winnow-fuzz-servers-"));
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
/** Faults that the servers reported as their own. */
const faults: unknown[] = [];
let workspace: Workspace;
let api: ApiServer;
let mcp: HttpServer;

beforeAll(async () => {
  mkdirSync(join(folder, "docs"));
  writeFileSync(join(folder, "docs", "a.md"), "---\ndate: 2026-05-14\ntags: [a]\n---\n# Walrus\n\nHall nine.\n");
  writeFileSync(join(folder, "docs", "b.md"), "# Harbour\n\nThe walrus was moved from the harbour.\n");
  await indexCorpus({
    folder: join(folder, ".winnow"),
    paths: [join(folder, "docs")],
    embedder: { spec: "none" },
  });
  workspace = await openWorkspace({ workingFolder: folder, environment: { XDG_CONFIG_HOME: join(folder, "config") } });
  const onError = (error: unknown): void => void faults.push(error);
  const shared = { host: "127.0.0.1", port: 0, onError };
  const runs = { runsMax: 4, waitingMax: 64, rolloutsMax: 2 };
  const quiet = { log: () => {}, verbose: true, book: undefined, allowedHosts: [], tracer: OFF_TRACER };
  api = await serveApi(workspace, { ...shared, ...runs, ...quiet });
  mcp = await serveOverHttp(workspace, { ...shared });
});
afterAll(async () => {
  agent.destroy();
  await Promise.all([api?.close(0), mcp?.close()]);
  await workspace?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function ask(
  url: string,
  method: string,
  body?: Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const json = body === undefined ? {} : { "content-type": "application/json" };
    const sent = request(
      url,
      { method, agent, timeout: ANSWER_MS_MAX, headers: { ...json, ...headers } },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("error", reject);
        const type = response.headers["content-type"] ?? "";
        response.on("end", () => resolve({ status: response.statusCode ?? 0, type, text }));
      },
    );
    sent.on("timeout", () => sent.destroy(new Error("There is no answer.")));
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Whatever was asked, the answer says what is wrong with it, and never that the server is at fault. */
function checkReply({ status, type, text }: Reply): void {
  expect(status, text.slice(0, 300)).toBeGreaterThanOrEqual(200);
  expect(status, `${text.slice(0, 300)} ${String(faults[0])}`).toBeLessThan(500);
  expect(faults).toEqual([]);
  if (type.startsWith("application/json")) JSON.parse(text);
  if (status >= 400) expect(JSON.parse(text)).toMatchObject({ error: { code: expect.stringMatching(/^[a-z_]+$/) } });
}

const BODIES: Readonly<Record<string, readonly string[]>> = {
  search: [
    '{"query":"Where is the walrus?","corpora":["main"],"where":["date>=2026-01"],"since":"2026-05","exclude":["docs/b.md"],"known":["docs/a.md"],"k":3,"policy":"rules","timeoutMs":5000,"rollouts":2,"stream":false}',
    '{"query":"walrus","stream":true}',
  ],
  find: [
    '{"query":"walrus harbour","mode":"hybrid","k":5,"where":["tags contains a","date<2027"],"since":"2026-05-01","exclude":["docs/b.md"]}',
    '{"query":"w[a-z]+s (hall|harbour)$","mode":"grep","k":30}',
    '{"query":"\\"nine hall\\" -x AND (y)","mode":"lexical"}',
  ],
  brief: ['{"task":"Move the walrus.","where":["tags contains a"],"since":"2026"}'],
};
/** Runs of the agent take a hundred times as long as what is refused. */
const SHARES: Readonly<Record<string, number>> = { search: 0.05, brief: 0.05, find: 1 };

const bodyTargets = ROUTES.filter(({ method }) => method === "POST").map(
  ({ path, operation }): FuzzTarget => ({
    name: `bodies of ${operation}`,
    fixtures: BODIES[operation] ?? [],
    structures: ["json"],
    blindShare: 0.15,
    share: SHARES[operation] ?? 1,
    run: async (input) => checkReply(await ask(`${api.url}${path}`, "POST", input)),
  }),
);

const PARAMETERS = [
  "document=docs/a.md:2",
  "lines=1-3",
  "n=5",
  "k=5",
  "since=2026-05-14",
  "where=date>=2026",
  "corpora=main",
  "format=jsonl",
];
const GET_PATHS = ROUTES.filter(({ method }) => method === "GET").map(({ path }) =>
  path.replace("{id}", "20260514T100000-0a1b2c3d"),
);

/** Some parameters with their names and values changed, encoded so that they arrive as they are. */
function queryOf(chance: Chance): string {
  const pairs = Array.from({ length: chance.below(4) }, () => {
    const [name = "", value = ""] = PARAMETERS[chance.below(PARAMETERS.length)]?.split(/=(.*)/s) ?? [];
    const changed = wellFormed(
      mutate([Buffer.from(value)], ["text"], chance)
        .toString("utf8")
        .slice(0, 2_000),
    );
    return `${chance.happens(0.9) ? name : encodeURIComponent(wellFormed(changed.slice(0, 50)))}=${encodeURIComponent(changed)}`;
  });
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

const RPC = (method: string, params: object): string => JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
const INITIALIZE = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "fuzz", version: "1" } };
const CALLS = [
  RPC("initialize", INITIALIZE),
  RPC("tools/list", {}),
  RPC("tools/call", {
    name: "find",
    arguments: { query: "walrus", mode: "lexical", documents: 3, where: ["date>2026"] },
  }),
  RPC("tools/call", { name: "read", arguments: { document: "docs/a.md", lines: "1-3" } }),
  RPC("tools/call", { name: "recent", arguments: { since: "2026-05-14" } }),
  RPC("tools/call", { name: "corpora", arguments: {} }),
  `[${RPC("ping", {})},{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}]`,
];

const TARGETS: readonly FuzzTarget[] = [
  ...bodyTargets,
  {
    name: "addresses and query strings",
    fixtures: GET_PATHS,
    structures: ["text"],
    share: 0.3,
    async run(input, chance) {
      const whole = GET_PATHS[chance.below(GET_PATHS.length)] ?? "/";
      const odd = encodeURI(input.subarray(0, 2_000).toString("latin1")).replace(/[?#]/g, "");
      const path = chance.happens(0.9) ? whole : `/${odd}`;
      const reply = await ask(`${api.url}${path}${queryOf(chance)}`, chance.of(["GET", "GET", "GET", "POST"]));
      checkReply(reply);
    },
  },
  {
    name: "messages to the mcp server",
    fixtures: CALLS,
    structures: ["json"],
    blindShare: 0.15,
    share: 0.3,
    async run(input) {
      const headers = { accept: "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18" };
      const asked = ask(mcp.url, "POST", input, headers);
      // Who takes its own request back is not answered any more, and hangs up.
      const isTakenBack = input.includes("notifications/cancelled");
      const hungUp = isTakenBack ? [delay(TAKEN_BACK_MS, { status: 200, text: "" })] : [];
      const { status, text } = await Promise.race([asked, ...hungUp]);
      expect(status, text.slice(0, 300)).toBeLessThan(500);
      // A message that is none, and a version that nobody knows, the library reports as errors of the connection.
      for (const [, data = ""] of text.matchAll(/^data: (.+)$/gm)) JSON.parse(data);
      expect(text).not.toMatch(/at \/|node_modules|\.ts:\d/);
    },
  },
  {
    name: "bytes to the mcp server",
    fixtures: [
      "GET /mcp?a=b HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
      "POST // HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
      "GET http:// HTTP/1.1\r\nHost: [::1]\r\nOrigin: null\r\nConnection: close\r\n\r\n",
    ],
    structures: ["text"],
    share: 0.2,
    run: async (input) => expect(await exchange(mcp.url, input)).toMatch(/^$|^HTTP\/1\.1 [1-4]\d\d /),
  },
];

/** What comes back for bytes on a connection of its own, until it is closed. */
function exchange(url: string, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.end(bytes));
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy(new Error("There is no answer.")));
    socket.setEncoding("latin1").on("data", (part: string) => {
      text += part;
    });
    socket.on("error", (error) => (text === "" && error.message === "There is no answer." ? reject(error) : undefined));
    socket.on("close", () => resolve(text));
  });
}

describe("requests", () => {
  fuzzTests(TARGETS);

  test("the servers still answer, and hold what they held", async () => {
    expect((await ask(`${api.url}/healthz`, "GET")).status).toBe(200);
    const found = await ask(`${api.url}/v1/find`, "POST", Buffer.from('{"query":"walrus"}'));
    expect(
      JSON.parse(found.text)
        .documents.map(({ id }: { id: string }) => id)
        .sort(),
    ).toEqual(["docs/a.md", "docs/b.md"]);
    expect((await ask(mcp.url, "POST", Buffer.from(RPC("ping", {})))).status).toBeLessThan(500);
  });

  test.each(["//", "http://", "/%", "/mcp/../x", "*"])(
    "the mcp server refuses the address %s and goes on",
    async (path) => {
      const bytes = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
      expect(await exchange(mcp.url, bytes)).toMatch(/^HTTP\/1\.1 40\d /);
    },
  );
});
