import { WinnowError } from "../../core/errors.ts";
import { didYouMean } from "../../core/suggest.ts";
import { chat, chatForModels } from "./chat.ts";
import { context1, context1Report } from "./context-1.ts";
import type { Profile } from "./profile.ts";

const PROFILES: readonly Profile[] = [chat, context1, context1Report];

/** Names that `--profile` takes. */
export const profileNames: readonly string[] = PROFILES.map((profile) => profile.name);

/**
 * The built-in profile of that name; `invalid_argument` when there is none. Under a policy that names its model, `chat` is
 * its form for models, with notes, quotes and coverage.
 */
export function profileByName(name: string, policy?: { readonly model?: string }): Profile {
  if (name === chatForModels.name && policy?.model !== undefined) return chatForModels;
  const found = PROFILES.find((profile) => profile.name === name);
  if (found !== undefined) return found;
  throw new WinnowError("invalid_argument", `There is no profile "${name}".${didYouMean(name, profileNames)}`, {
    hint: `Profiles: ${profileNames.join(", ")}.`,
  });
}
