import { existsSync } from "node:fs";
import { join } from "node:path";
import { WinnowError } from "../../core/errors.ts";
import { newToken, openTokenBook, type TokenBook } from "../../features/access-tokens.ts";
import type { CorpusPlace } from "../../features/open-corpora.ts";
import { openWorkspace, type Workspace, type WorkspaceOptions } from "../../features/workspace.ts";
import type { CommandRun, CommandScope } from "../program.ts";
import { numberOption, textOption, textsOption } from "../scope.ts";
import { aborted, tokenOf } from "../serving.ts";
import { shownPlace } from "../shown-place.ts";

/** Where tokens are kept when nobody says, in the folder of the first corpus. */
const TOKENS_FILE = "tokens.json";
/** Beyond the grace that runs have: cancelling them, and closing what is open. */
const CLOSING_MS = 5_000;

type Options = Readonly<Record<string, unknown>>;

export const run: CommandRun = async (_args, options, scope) => {
  const name = textOption(options, "newToken");
  if (name !== undefined) return make(name, options, scope);
  const policy = textOption(options, "policy");
  const workspace = await workspaceOf(scope.corpora, {
    baseUrl: textOption(options, "baseUrl"),
    apiKeyEnv: textOption(options, "apiKeyEnv"),
    policies: textsOption(options, "allowPolicy"),
    ...(policy === undefined ? {} : { policy }),
  });
  try {
    return await serve(workspace, options, scope);
  } finally {
    await workspace.close();
  }
};

function workspaceOf(corpora: readonly string[], more: Partial<WorkspaceOptions> = {}): Promise<Workspace> {
  return openWorkspace({ workingFolder: process.cwd(), environment: process.env, corpora, ...more });
}

async function serve(workspace: Workspace, options: Options, scope: CommandScope): Promise<number> {
  const { output, signal } = scope;
  const graceMs = 1000 * (numberOption(options, "grace") ?? 0);
  scope.allowGrace(graceMs + CLOSING_MS);
  const { serveApi } = await import("../../http/server.ts");
  const onError = (error: unknown): void =>
    output.say(
      `note: ${error instanceof Error ? ((output.verbose ? error.stack : undefined) ?? error.message) : error}`,
    );
  // A policy that cannot be had is reported before anybody asks.
  await workspace.policy();
  for (const policy of textsOption(options, "allowPolicy")) await workspace.policy(policy);
  const { openTracer } = await import("../../features/tracing/otlp-exporter.ts");
  const server = await serveApi(workspace, {
    host: textOption(options, "host") ?? "127.0.0.1",
    port: numberOption(options, "port") ?? 0,
    book: await bookOf(options, scope, onError),
    allowedHosts: textsOption(options, "allowHost"),
    runsMax: numberOption(options, "maxRuns") ?? 1,
    waitingMax: numberOption(options, "maxWaiting") ?? 0,
    rolloutsMax: numberOption(options, "maxRollouts") ?? 1,
    log: (line) => output.say(line),
    verbose: output.verbose,
    onError,
    tracer: openTracer(process.env, (message) => output.say(`note: ${message}`)),
  });
  if (output.json) output.printJson({ schema: "serve/1", url: server.url });
  else output.print(server.url);
  output.say("Serving until interrupted.");
  await aborted(signal);
  await server.close(graceMs);
  return 0;
}

async function bookOf(
  options: Options,
  scope: CommandScope,
  onError: (error: unknown) => void,
): Promise<TokenBook | undefined> {
  const token = tokenOf(textOption(options, "tokenEnv"));
  const usual = await usualFile(scope);
  const file = textOption(options, "tokens") ?? (usual !== undefined && existsSync(usual) ? usual : undefined);
  return token === undefined && file === undefined ? undefined : openTokenBook({ token, file, onError });
}

/** In the folder of the first corpus that the folder has, whichever are served; else of the first that is named. */
async function usualFile({ corpora }: CommandScope): Promise<string | undefined> {
  const [place] = (await placesOf([])) ?? (await placesOf(corpora)) ?? [];
  return place === undefined ? undefined : join(place.folder, TOKENS_FILE);
}

async function placesOf(corpora: readonly string[]): Promise<readonly CorpusPlace[] | undefined> {
  const workspace = await workspaceOf(corpora);
  return workspace.places().catch(() => undefined);
}

async function make(name: string, options: Options, scope: CommandScope): Promise<number> {
  const { output, corpora } = scope;
  const file = textOption(options, "tokens") ?? (await usualFile(scope));
  if (file === undefined) {
    throw new WinnowError("invalid_argument", "There is no index here that tokens could be kept beside.", {
      hint: "Name a file with --tokens FILE.",
    });
  }
  const names = corpora.length === 0 ? null : await Promise.all(corpora.map(servedName));
  const token = await newToken(file, name, names);
  if (output.json) output.printJson({ schema: "token/1", name, token, corpora: names, file });
  else output.print(token);
  output.say(`It is shown this once; its hash lies in ${shownPlace(file)}.`);
  output.say(names === null ? "It may ask every corpus." : `It may ask: ${names.join(", ")}.`);
  return 0;
}

/** The name under which a server has a corpus: one that the folder has by that name, else what the place is called. */
async function servedName(named: string): Promise<string> {
  const known = await placesOf([]);
  if (known?.some((place) => place.name === named) === true) return named;
  const [place] = await (await workspaceOf([named])).places();
  return place?.name ?? named;
}
