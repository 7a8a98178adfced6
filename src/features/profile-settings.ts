import { type Profile, withLimit } from "../agent/profiles/profile.ts";
import { type ProfileUse, profileByName } from "../agent/profiles/profiles.ts";
import { withPrompt } from "../agent/profiles/prompt-template.ts";
import { WinnowError } from "../core/errors.ts";
import { SESSION_KEYS } from "../core/provenance.ts";
import type { CorpusInfo } from "../retrieval/corpus-reader.ts";
import type { PromptFile } from "./prompt-file.ts";

export { resolveProfileName } from "../agent/profiles/profiles.ts";

/** A larger batch than half of the window would empty it. */
const PRUNE_BATCH_SHARE_MAX = 0.5;

/**
 * The forms in which the usage line of the published harness is known; which of them the released weights saw is not.
 * `window`: `14,203/32,768`, of the whole window, as the report prints it. `soft`: `14203/16384`, of the soft limit, as the
 * published code does.
 */
const USAGE_LINES = {
  window: { denominator: "limit", thousands: true },
  soft: { denominator: "soft", thousands: false },
} as const satisfies Record<string, Profile["usageLine"]>;
export type UsageLineForm = keyof typeof USAGE_LINES;

/** A built-in profile and what a caller may change of it. */
export interface ProfileSettings {
  readonly profile: string;
  /** Size of the window in tokens; the profile's own when left out. */
  readonly contextTokens?: number;
  readonly pruning?: Profile["pruning"];
  /** How much more than it must a pruning frees, as a share of the window, 0 to 0.5. */
  readonly pruneBatchShare?: number;
  /** `sampled` has a say only over policies that give token ids (`harmony:`). */
  readonly history?: Profile["history"];
  /** Whether the notice over the soft limit stays in view, is shown to one decision, or is left out. */
  readonly softNotice?: Profile["softNotice"];
  /** A form of the line that tells how full the context is. */
  readonly usageLine?: UsageLineForm;
  /** Stands in for the profile's prompt. */
  readonly prompt?: PromptFile;
}

/** The profile with the caller's changes. Throws `invalid_argument` for a name or a share that is none. */
export function profileWith(settings: ProfileSettings, use: ProfileUse = {}): Profile {
  const { contextTokens, pruning, pruneBatchShare, history, softNotice, usageLine, prompt } = settings;
  if (pruneBatchShare !== undefined && !(pruneBatchShare >= 0 && pruneBatchShare <= PRUNE_BATCH_SHARE_MAX)) {
    throw new WinnowError("invalid_argument", `A batch is a share of the window from 0 to ${PRUNE_BATCH_SHARE_MAX}.`, {
      hint: "Example: --prune-batch 0.125",
    });
  }
  const builtIn = profileByName(settings.profile, use);
  const named = prompt === undefined ? builtIn : withPrompt(builtIn, prompt.template, prompt.name);
  return {
    ...(contextTokens === undefined ? named : withLimit(named, contextTokens)),
    ...(pruning === undefined ? {} : { pruning }),
    ...(pruneBatchShare === undefined ? {} : { pruneBatchShare }),
    ...(history === undefined ? {} : { history }),
    ...(softNotice === undefined ? {} : { softNotice }),
    ...(usageLine === undefined ? {} : { usageLine: USAGE_LINES[usageLine] }),
  };
}

/** Whether documents of these corpora share sessions, so that joins can lead somewhere. */
export function hasSessions(infos: readonly Pick<CorpusInfo, "metadataKeys">[]): boolean {
  return infos.some(({ metadataKeys }) => metadataKeys.some((key) => SESSION_KEYS.includes(key)));
}
