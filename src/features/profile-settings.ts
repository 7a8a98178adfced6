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
  /** Stands in for the profile's prompt. */
  readonly prompt?: PromptFile;
}

/** The profile with the caller's changes. Throws `invalid_argument` for a name or a share that is none. */
export function profileWith(settings: ProfileSettings, use: ProfileUse = {}): Profile {
  const { contextTokens, pruning, pruneBatchShare, history, prompt } = settings;
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
  };
}

/** Whether documents of these corpora share sessions, so that joins can lead somewhere. */
export function hasSessions(infos: readonly Pick<CorpusInfo, "metadataKeys">[]): boolean {
  return infos.some(({ metadataKeys }) => metadataKeys.some((key) => SESSION_KEYS.includes(key)));
}
