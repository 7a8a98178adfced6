import { WinnowError } from "../../core/errors.ts";
import { didYouMean } from "../../core/suggest.ts";
import { CHAT_KINDS } from "../../models/chat/endpoint.ts";
import { COMPLETION_KIND } from "../../models/completions/completion-model.ts";
import { policyParts } from "../policy-name.ts";
import { chat, chatForModels, chatWithJoins } from "./chat.ts";
import { context1, context1Report } from "./context-1.ts";
import type { Profile } from "./profile.ts";

const PROFILES: readonly Profile[] = [chat, context1, context1Report];

/** Stands for the profile that fits the policy, and is what holds where nobody names one. */
const AUTO_PROFILE = "auto";

/** Names that `--profile` takes. */
export const profileNames: readonly string[] = [AUTO_PROFILE, ...PROFILES.map((profile) => profile.name)];

/** The released weights under whatever name they are served: `chromadb/context-1`, `Context-1-GGUF:Q4`, not `context-128k`. */
const CONTEXT_1_MODEL = /context-1(?![a-z0-9])/i;

export interface ProfileUse {
  /** The policy's name, as on the command line: `auto` goes by it. */
  readonly policy?: string | undefined;
  /** Absent for a policy that is no model. */
  readonly model?: string | undefined;
  /** Whether documents of the corpora share sessions (`SESSION_KEYS`). */
  readonly hasSessions?: boolean;
}

/**
 * The name of the profile that a run has: the given one, or what `auto` means under this policy. That is `context-1-report`
 * for `harmony:` and for a chat model whose name holds `context-1` in its last path part, else `chat`.
 */
export function resolveProfileName(name: string, policy = ""): string {
  if (name !== AUTO_PROFILE) return name;
  const { kind, rest } = policyParts(policy);
  const isChat = CHAT_KINDS.some((one) => one === kind);
  const knowsHarness = kind === COMPLETION_KIND || (isChat && CONTEXT_1_MODEL.test(rest.split("/").at(-1) ?? ""));
  return knowsHarness ? context1Report.name : chat.name;
}

/**
 * The built-in profile of that name; `invalid_argument` when there is none. Under a policy that names its model, `chat` is
 * its form for models, with joins, notes, quotes, coverage and selection; under another one it has joins where the
 * corpora have sessions.
 */
export function profileByName(given: string, use: ProfileUse = {}): Profile {
  const name = resolveProfileName(given, use.policy);
  if (name === chat.name && use.model !== undefined) return chatForModels;
  if (name === chat.name && use.hasSessions === true) return chatWithJoins;
  const found = PROFILES.find((profile) => profile.name === name);
  if (found !== undefined) return found;
  throw new WinnowError("invalid_argument", `There is no profile "${name}".${didYouMean(name, profileNames)}`, {
    hint: `Profiles: ${profileNames.join(", ")}.`,
  });
}
