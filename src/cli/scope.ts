import type { Profile } from "../agent/profiles/profile.ts";
import { type Config, loadConfig } from "../config/config.ts";
import type { CorpusScope } from "../features/open-corpora.ts";
import { type PolicyAccess, policyAccess } from "../features/policy-access.ts";
import type { UsageLineForm } from "../features/profile-settings.ts";
import type { CommandScope } from "./program.ts";

/** Configuration and place that a command works in. */
export async function commandContext(
  scope: Pick<CommandScope, "corpora">,
): Promise<{ readonly config: Config; readonly corpusScope: CorpusScope }> {
  const workingFolder = process.cwd();
  const config = await loadConfig(workingFolder, process.env);
  return {
    config,
    corpusScope: {
      workingFolder,
      named: scope.corpora,
      known: config.settings.corpora,
      mirrorGigabytes: config.settings.mirrorGigabytes,
    },
  };
}

type Options = Readonly<Record<string, unknown>>;

/** An option's text, where it was given. */
export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

/** How the model of a policy is reached: `--base-url` and `--api-key-env` over the configuration. */
export function policyAccessOf(options: Options, { settings }: Config): PolicyAccess {
  return policyAccess(settings, {
    baseUrl: textOption(options, "baseUrl"),
    apiKeyEnv: textOption(options, "apiKeyEnv"),
  });
}

export function numberOption(options: Options, name: string): number | undefined {
  const value = options[name];
  return typeof value === "number" ? value : undefined;
}

/** All values of a repeatable option. */
export function textsOption(options: Options, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

/** What the options of `withAgent` set of the harness and of the sampling, where they were given. */
export function agentOverrides(options: Options): {
  pruning?: Profile["pruning"];
  pruneBatchShare?: number;
  history?: Profile["history"];
  softNotice?: Profile["softNotice"];
  usageLine?: UsageLineForm;
  temperature?: number;
} {
  const pruning = textOption(options, "pruning");
  const pruneBatchShare = numberOption(options, "pruneBatch");
  const history = textOption(options, "history");
  const softNotice = textOption(options, "softNotice");
  const usageLine = textOption(options, "usageLine");
  const temperature = numberOption(options, "temperature");
  return {
    ...(pruning === "none" || pruning === "oldest" || pruning === "self-edit" ? { pruning } : {}),
    ...(pruneBatchShare === undefined ? {} : { pruneBatchShare }),
    ...(history === "sampled" || history === "rerendered" ? { history } : {}),
    ...(softNotice === "kept" || softNotice === "once" || softNotice === "off" ? { softNotice } : {}),
    ...(usageLine === "window" || usageLine === "soft" ? { usageLine } : {}),
    ...(temperature === undefined ? {} : { temperature }),
  };
}
