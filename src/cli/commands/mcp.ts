import { homedir } from "node:os";
import { createInterface } from "node:readline/promises";
import { WinnowError } from "../../core/errors.ts";
import { type McpInstallation, mcpClientNames, planMcpInstall } from "../../features/install-mcp.ts";
import { openWorkspace } from "../../features/workspace.ts";
import type { CommandRun, CommandScope } from "../program.ts";
import { numberOption, textOption } from "../scope.ts";
import { aborted, tokenOf } from "../serving.ts";
import { shownPlace } from "../shown-place.ts";

const INTERRUPTED_EXIT = 130;

type Options = Readonly<Record<string, unknown>>;

export const run: CommandRun = async (args, options, scope) => {
  const [action, client] = args;
  if (action === undefined) return serve(options, scope);
  if (action === "install") return install(client, options, scope);
  throw new WinnowError("invalid_argument", `"${action}" is nothing that winnow mcp does.`, {
    hint: "Serve with: winnow mcp; add the entry for a client with: winnow mcp install CLIENT",
  });
};

async function serve(options: Options, { signal, corpora, output }: CommandScope): Promise<number> {
  const policy = textOption(options, "policy");
  const workspace = await openWorkspace({
    workingFolder: process.cwd(),
    environment: process.env,
    corpora,
    baseUrl: textOption(options, "baseUrl"),
    apiKeyEnv: textOption(options, "apiKeyEnv"),
    ...(policy === undefined ? {} : { policy }),
  });
  // On standard output stands the protocol, nothing else.
  const onError = (error: Error): void => output.say(`note: ${error.message}`);
  try {
    if (options["http"] !== true) {
      const { serveOverStdio } = await import("../../mcp/stdio.ts");
      await serveOverStdio(workspace, { signal, onError });
      return 0;
    }
    const { serveOverHttp } = await import("../../mcp/http.ts");
    const server = await serveOverHttp(workspace, {
      host: textOption(options, "host") ?? "127.0.0.1",
      port: numberOption(options, "port") ?? 0,
      token: tokenOf(textOption(options, "tokenEnv")),
      onError,
    });
    if (output.json) output.printJson({ schema: "mcp/1", url: server.url });
    else output.print(server.url);
    output.say("Serving until interrupted.");
    await aborted(signal);
    await server.close();
    return INTERRUPTED_EXIT;
  } finally {
    await workspace.close();
  }
}

async function install(client: string | undefined, options: Options, scope: CommandScope): Promise<number> {
  const { output, corpora } = scope;
  if (client === undefined) {
    throw new WinnowError("invalid_argument", "Which client?", { hint: `One of: ${mcpClientNames.join(", ")}.` });
  }
  const named = corpora.flatMap((name) => ["--corpus", name]);
  const plan = await planMcpInstall({
    client,
    user: options["user"] === true,
    folder: process.cwd(),
    home: homedir(),
    platform: process.platform,
    command: { command: "winnow", args: ["mcp", ...named] },
  });
  const { title, file, entry, isThere } = plan;
  const skill = options["skill"] === true ? plan.skill?.file : undefined;
  const isAsked = options["print"] !== true && (!isThere || options["skill"] === true);
  const agreed = isAsked && (options["yes"] === true || (await agrees(plan, skill, scope)));
  const writes = agreed && !isThere;
  if (agreed && options["skill"] === true) await plan.writeSkill();
  if (writes) await plan.write();
  if (output.json) {
    output.printJson({
      schema: "mcp-install/1",
      client: plan.client,
      file,
      entry,
      written: writes,
      isThere,
      skill: agreed ? (skill ?? null) : null,
    });
    return 0;
  }
  if (!writes && !isThere) output.print(entry);
  output.say(
    isThere
      ? `${title} has the entry already, in ${shownPlace(file)}.`
      : writes
        ? `Written to ${shownPlace(file)}. Start ${title} anew, and ask it for what it can do with winnow.`
        : `For ${title} this belongs into ${shownPlace(file)}. Write it there with --yes.`,
  );
  if (agreed && skill !== undefined) output.say(`The skill lies in ${shownPlace(skill)}.`);
  return 0;
}

async function agrees(
  { title, file, entry }: McpInstallation,
  skill: string | undefined,
  { output, signal }: CommandScope,
): Promise<boolean> {
  if (output.json || output.quiet || process.stdin.isTTY !== true || process.stderr.isTTY !== true) return false;
  output.say(entry);
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await reader.question(
      `Write this for ${title} to ${shownPlace(file)}${skill === undefined ? "" : `, and the skill to ${shownPlace(skill)}`}? [y/N] `,
      { signal },
    );
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    reader.close();
  }
}
