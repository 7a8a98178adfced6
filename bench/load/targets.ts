import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { rulesPolicy } from "../../src/agent/policies/rules/rules.ts";
import type { Policy } from "../../src/agent/policy.ts";
import { toWinnowError } from "../../src/core/errors.ts";
import { queryModels } from "../../src/features/indexing/embedders.ts";
import { searchCorpora } from "../../src/features/search-corpora.ts";
import { openCorpus } from "../../src/retrieval/corpus/open-corpus.ts";
import type { FindMode } from "../../src/retrieval/corpus-reader.ts";
import { scriptedAgent } from "./agents.ts";
import type { LoadCorpus } from "./corpus.ts";

/** What one request came to. Nothing else may happen to it: what is none of these was lost. */
export type Outcome =
  | { readonly kind: "answer"; readonly answer: string }
  /** Told to come again: over HTTP by `Retry-After`, in a process by an error that is `retryable`. */
  | { readonly kind: "refused"; readonly code: string; readonly isToldWhen: boolean }
  | { readonly kind: "error"; readonly code: string };

export interface Target {
  readonly name: string;
  /** What its requests are called. */
  readonly unit: string;
  /** Asks the question of this number, or lets the agent of this number run. Never rejects. */
  ask(number: number): Promise<Outcome>;
  /** Resident memory of the process that answers. */
  rssBytes(): number;
  /** Processor time that this process has had, of all its threads, milliseconds. */
  cpuMs(): number;
  /** Time that the answering process takes for the least that it can be asked, milliseconds; Infinity where it fails. */
  pulse(): Promise<number>;
  close(): Promise<void>;
}

export const TARGETS = ["find", "scripted", "rules", "http-find", "http-search"] as const;
export type TargetName = (typeof TARGETS)[number];

/** Chunks that a query asks for, as an agent's does with two calls in its turn. */
export const CHUNKS_ASKED = 20;
const DOCUMENTS_ASKED = 10;
/** Connections to a server, fewer than it takes. */
const SOCKETS_MAX = 1_500;

export interface TargetOptions {
  readonly corpus: LoadCorpus;
  readonly mode: FindMode;
  /** Options of `winnow serve`. */
  readonly serve: readonly string[];
  /** Where runs are recorded. */
  readonly runsFolder: string;
}

export function openTarget(name: TargetName, options: TargetOptions): Promise<Target> {
  if (name === "http-find" || name === "http-search") return openServer(name, options);
  return name === "find" ? openFind(options) : openRuns(name, options);
}

export function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Of another process, from the kernel's hundredths of a second. */
function cpuMsOf(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** In this process a full turn of the event loop is the least. */
const here = {
  rssBytes: () => process.memoryUsage.rss(),
  cpuMs: ownCpuMs,
  async pulse() {
    const started = performance.now();
    await new Promise<void>((done) => setImmediate(() => setImmediate(done)));
    return performance.now() - started;
  },
};

async function outcomeOf(work: () => Promise<string>): Promise<Outcome> {
  try {
    return { kind: "answer", answer: await work() };
  } catch (error) {
    const { code, retryable } = toWinnowError(error);
    return code === "busy" ? { kind: "refused", code, isToldWhen: retryable } : { kind: "error", code };
  }
}

const numbered = (questions: readonly string[], number: number): string => questions[number % questions.length] ?? "";

async function openFind({ corpus: { folder, questions }, mode }: TargetOptions): Promise<Target> {
  const corpus = await openCorpus(folder, { name: "load", ...queryModels() });
  return {
    ...here,
    name: `corpus.find, ${mode}`,
    unit: "queries",
    ask: (number) =>
      outcomeOf(async () => {
        const { hits } = await corpus.find({ text: numbered(questions, number), mode, chunksMax: CHUNKS_ASKED });
        return hits.map(({ chunk }) => chunk.id).join(" ");
      }),
    close: () => corpus.close(),
  };
}

async function openRuns(name: "scripted" | "rules", options: TargetOptions): Promise<Target> {
  const { folder, questions } = options.corpus;
  const corpus = await openCorpus(folder, { name: "load", ...queryModels() });
  const policyOf = (number: number): Policy => (name === "rules" ? rulesPolicy() : scriptedAgent(questions, number));
  return {
    ...here,
    name: `runs, ${name}`,
    unit: "runs",
    ask: (number) =>
      outcomeOf(async () => {
        const run = await searchCorpora({
          question: numbered(questions, number),
          corpora: [corpus],
          policy: policyOf(number % questions.length),
          profile: "chat",
          runsFolder: options.runsFolder,
        });
        const { documents, stopReason } = await run.result;
        return `${stopReason} ${documents.map(({ id }) => id).join(" ")}`;
      }),
    close: () => corpus.close(),
  };
}

async function openServer(name: "http-find" | "http-search", options: TargetOptions): Promise<Target> {
  const { corpus, mode, serve } = options;
  const { child, url } = await startServer(corpus.home, serve);
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });
  const ask = (number: number): Promise<Outcome> => {
    const query = numbered(corpus.questions, number);
    return name === "http-find"
      ? post(agent, url, "/v1/find", { query, mode, k: DOCUMENTS_ASKED })
      : post(agent, url, "/v1/search", { query, k: DOCUMENTS_ASKED });
  };
  return {
    name: name === "http-find" ? `POST /v1/find, ${mode}` : "POST /v1/search, rules",
    unit: name === "http-find" ? "queries" : "runs",
    ask,
    rssBytes: () => 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]),
    cpuMs: () => cpuMsOf(child.pid),
    pulse: () => timed(url),
    async close() {
      agent.destroy();
      const ended = new Promise((done) => child.once("close", done));
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Starts the built command on a free port. */
async function startServer(cwd: string, args: readonly string[]): Promise<{ child: ChildProcess; url: string }> {
  const cli = resolve("dist", "cli.js");
  const child = spawn(process.execPath, [cli, "serve", "--port", "0", "--quiet", ...args], {
    cwd,
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const url of createInterface({ input: child.stdout })) return { child, url };
  throw new Error("winnow serve printed no address; build it first: npm run build");
}

interface Reply {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

function send(agent: Agent | undefined, url: string, path: string, body?: unknown): Promise<Reply> {
  const { hostname, port } = new URL(url);
  return new Promise((done, fail) => {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const method = body === undefined ? "GET" : "POST";
    const sent = request({ hostname, port, path, method, headers, agent: agent ?? false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("error", fail);
      response.on("end", () => {
        const { statusCode: status = 0, headers: given } = response;
        done({ status, retryAfter: given["retry-after"], text });
      });
    });
    sent.on("error", fail);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function post(agent: Agent, url: string, path: string, body: unknown): Promise<Outcome> {
  try {
    const { status, retryAfter, text } = await send(agent, url, path, body);
    const { documents, error } = JSON.parse(text) as { documents?: { id: string }[]; error?: { code: string } };
    const answer = documents?.map(({ id }) => id).join(" ");
    if (status === 200 && answer !== undefined) return { kind: "answer", answer };
    const code = `${status} ${error?.code ?? "without a code"}`;
    return status === 429 ? { kind: "refused", code, isToldWhen: Number(retryAfter) > 0 } : { kind: "error", code };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable answer";
    return { kind: "error", code };
  }
}

async function timed(url: string): Promise<number> {
  const started = performance.now();
  return send(undefined, url, "/healthz").then(
    () => performance.now() - started,
    () => Number.POSITIVE_INFINITY,
  );
}
