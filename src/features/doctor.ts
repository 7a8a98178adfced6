import { access, constants } from "node:fs/promises";
import { resolveProfileName } from "../agent/profiles/profiles.ts";
import type { Config, Setting } from "../config/config.ts";
import { toWinnowError, type WinnowError } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import { corpusStatus } from "./corpus-status.ts";
import { MINILM_EMBEDDER } from "./indexing/embedders.ts";
import { checkMiniLm } from "./minilm-model.ts";
import { type CorpusPlace, type CorpusScope, locateCorpora } from "./open-corpora.ts";
import type { PolicyAccess } from "./policy-access.ts";
import { verifyCorpora } from "./verify-corpora.ts";

const NODE_MIN = [20, 19] as const;

export interface Check {
  readonly name: string;
  /** `warn`: a part is degraded; `fail`: commands will not work. */
  readonly state: "ok" | "warn" | "fail";
  readonly detail: string;
  readonly hint?: string;
}

export interface DoctorReport {
  readonly schema: "doctor/1";
  readonly version: string;
  readonly checks: readonly Check[];
  readonly settings: readonly ReportedSetting[];
}

export interface ReportedSetting extends Setting {
  /** What a value that stands for another one means under the policy that is checked, else the configured one. */
  readonly resolved?: string;
}

export interface PolicyToCheck {
  readonly spec: string;
  readonly access: PolicyAccess;
  readonly signal?: AbortSignal;
}

export interface DoctorOptions {
  readonly policy?: PolicyToCheck;
  /** Reads every file of the indexes and every record, and compares them with what was written. */
  readonly verify?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Tries every part that commands depend on; the model of a policy only where one is given, since asking it costs tokens.
 * Never rejects: what fails is a check that says so.
 */
export async function doctor(
  config: Config,
  scope: CorpusScope,
  { policy, verify = false, signal }: DoctorOptions = {},
): Promise<DoctorReport> {
  const checks: Check[] = [checkNode(process.versions.node)];
  checks.push(
    await attempt(
      "store",
      tryStore,
      "Indexes are kept in SQLite instead, which is slower on large corpora. Lance ships binaries for Linux, macOS on Apple silicon and Windows.",
    ),
  );
  checks.push(await attempt("grep", tryGrep, "Grep falls back to a slower engine."));
  checks.push(await attempt("tokenizer", tryTokenizer, "Install the package again."));
  checks.push(...(await checkCorpora(scope)), ...(await checkAttachedOf(scope)));
  if (verify) checks.push(...(await verifyCorpora(scope, signal)));
  if (policy !== undefined) {
    const { checkPolicy } = await import("./check-policy.ts");
    checks.push(await checkPolicy(policy.spec, policy.access, policy.signal));
  }
  return { schema: "doctor/1", version: VERSION, checks, settings: settingsOf(config, policy?.spec) };
}

function settingsOf({ settings, origins }: Config, policy = settings.policy): ReportedSetting[] {
  const profile = resolveProfileName(settings.profile, policy);
  return origins.map((setting) =>
    setting.name === "profile" && setting.value !== profile
      ? { ...setting, resolved: `${profile} under ${policy}` }
      : setting,
  );
}

function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const fine = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  const detail = `Node.js ${version} on ${process.platform} ${process.arch}`;
  return fine
    ? { name: "node", state: "ok", detail }
    : { name: "node", state: "fail", detail, hint: `Use Node.js ${NODE_MIN.join(".")} or newer.` };
}

/** Parts that another one stands in for. */
const FALLBACKS: readonly string[] = ["grep", "store"];

async function attempt(name: string, work: () => Promise<string>, hint: string): Promise<Check> {
  try {
    return { name, state: "ok", detail: await work() };
  } catch (error) {
    return { name, state: FALLBACKS.includes(name) ? "warn" : "fail", detail: toWinnowError(error).message, hint };
  }
}

async function tryStore(): Promise<string> {
  const { connect } = await import("@lancedb/lancedb");
  const connection = await connect("memory://");
  connection.close();
  return "Lance loads";
}

async function tryGrep(): Promise<string> {
  const { rgPath } = await import("@vscode/ripgrep");
  await access(rgPath, constants.X_OK);
  return `ripgrep at ${rgPath}`;
}

async function tryTokenizer(): Promise<string> {
  const { loadTokenCounter } = await import("../models/o200k-token-counter.ts");
  const counter = await loadTokenCounter();
  return `${counter.name} counts`;
}

async function checkCorpora(scope: CorpusScope): Promise<Check[]> {
  try {
    const places = await locateCorpora(scope);
    const asked = await Promise.all(places.map(checkCorpus));
    const model = asked.some(({ embedder }) => embedder === MINILM_EMBEDDER.name)
      ? [await checkMiniLm(process.env)]
      : [];
    return [...asked.map(({ check }) => check), ...model];
  } catch (error) {
    const known = toWinnowError(error);
    const absent = known.code === "corpus_not_found" && scope.named.length === 0;
    return [{ name: "corpus", state: absent ? "warn" : "fail", detail: known.message, ...hintOf(known) }];
  }
}

/** Of the collections that are named, or all. */
async function checkAttachedOf({ known, named }: CorpusScope): Promise<readonly Check[]> {
  const entries = Object.entries(known).flatMap(([name, entry]) =>
    entry.kind === "chroma" && (named.length === 0 || named.includes(name)) ? [[name, entry] as const] : [],
  );
  if (entries.length === 0) return [];
  const { checkAttached } = await import("./attaching/check-attached.ts");
  return checkAttached(entries, process.env);
}

async function checkCorpus(place: CorpusPlace): Promise<{ check: Check; embedder: string | null }> {
  const name = `corpus ${place.name}`;
  const attachedBy = place.attached?.embedder ?? null;
  try {
    const status = await corpusStatus(place);
    const detail = `${status.documents} documents, ${status.chunks} chunks, generation ${status.generation}, at ${status.location}`;
    const unreachable = status.published?.unreachable;
    if (unreachable !== undefined) {
      const hint = "What was fetched before is searched until the object store can be reached again.";
      return { check: { name, state: "warn", detail: `${detail}; ${unreachable}`, hint }, embedder: status.embedder };
    }
    const check: Check = status.ready
      ? { name, state: "ok", detail }
      : {
          ...{ name, state: "warn", detail: `${detail}; ${status.unindexed} rows wait for the index` },
          hint: "Run: winnow index",
        };
    return { check, embedder: attachedBy ?? status.embedder };
  } catch (error) {
    const known = toWinnowError(error);
    return { check: { name, state: "fail", detail: known.message, ...hintOf(known) }, embedder: attachedBy };
  }
}

function hintOf(error: WinnowError): { hint?: string } {
  return error.hint === undefined ? {} : { hint: error.hint };
}
