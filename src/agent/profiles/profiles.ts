import { WinnowError } from "../../core/errors.ts";
import { didYouMean } from "../../core/suggest.ts";
import { chat, chatForModels, chatWithJoins } from "./chat.ts";
import { context1, context1Report } from "./context-1.ts";
import type { Profile } from "./profile.ts";

const PROFILES: readonly Profile[] = [chat, context1, context1Report];

/** Names that `--profile` takes. */
export const profileNames: readonly string[] = PROFILES.map((profile) => profile.name);

export interface ProfileUse {
  /** Absent for a policy that is no model. */
  readonly model?: string | undefined;
  /** Whether documents of the corpora share sessions (`SESSION_KEYS`). */
  readonly hasSessions?: boolean;
}

/**
 * The built-in profile of that name; `invalid_argument` when there is none. Under a policy that names its model, `chat` is
 * its form for models, with joins, notes, quotes, coverage and selection; under another one it has joins where the
 * corpora have sessions.
 */
export function profileByName(name: string, use: ProfileUse = {}): Profile {
  if (name === chat.name && use.model !== undefined) return chatForModels;
  if (name === chat.name && use.hasSessions === true) return chatWithJoins;
  const found = PROFILES.find((profile) => profile.name === name);
  if (found !== undefined) return found;
  throw new WinnowError("invalid_argument", `There is no profile "${name}".${didYouMean(name, profileNames)}`, {
    hint: `Profiles: ${profileNames.join(", ")}.`,
  });
}
