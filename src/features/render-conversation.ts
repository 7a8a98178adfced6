import { z } from "zod/mini";
import { initialPrompt } from "../agent/context/prompt.ts";
import type { RenderedContext } from "../agent/context/rendered.ts";
import { harmonySettings } from "../agent/policies/harmony/harmony-settings.ts";
import type { Profile } from "../agent/profiles/profile.ts";
import { profileByName } from "../agent/profiles/profiles.ts";
import { recordedProfile } from "../agent/replay-record.ts";
import { toolSchemas } from "../agent/tools/tool-schemas.ts";
import { believingAsync } from "../core/believing.ts";
import { WinnowError } from "../core/errors.ts";
import { parseDateRange } from "../core/filter-date.ts";
import { nestsDeeper } from "../core/json-depth.ts";
import { VERSION } from "../core/version.ts";
import { COMPLETION_KIND } from "../models/completions/completion-model.ts";
import type { ContextConversation, ContextMessage, ContextSettings } from "../models/harmony/context-conversation.ts";
import type { HarmonyMessage } from "../models/harmony/conversation.ts";
import type { VisiblePiece } from "../models/harmony/visible-text.ts";
import { RECORD_SCHEMA, type RecordHeader } from "../record/events.ts";
import type { RunRecord } from "../record/reader.ts";
import { contextAt } from "./open-record.ts";

/** Messages of one conversation file. */
const MESSAGES_MAX = 10_000;
const DEPTH_MAX = 100;
const EXAMPLE = 'For example: {"query":"Who owns billing?"}, or {"messages":[{"role":"user","content":"…"}]}';

/** A conversation as a harmony policy would be given it. */
export interface RenderedConversation {
  readonly profile: string;
  readonly ids: readonly number[];
  readonly messages: readonly {
    readonly role: string;
    readonly name?: string;
    readonly recipient?: string;
    readonly channel?: string;
    /** Its ids, `start` inclusive, `end` exclusive. */
    readonly start: number;
    readonly end: number;
  }[];
  /** The ids as text, special tokens apart; `spelled` counts special tokens that ordinary text spells. */
  readonly pieces: readonly VisiblePiece[];
  readonly spelled: number;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const NO_DAY = { error: "there is no such day" };
const content = z.union([z.string(), z.array(z.string())]);
const block = z.object({ text: z.string() });
const callSchema = z.object({ id: z.optional(z.string()), tool: z.string(), arguments: z.json() });
/** `content`, or the `blocks` of what `winnow show --turn N --json` prints. */
const messageSchema = z.object({
  role: z.enum(["user", "assistant", "tool"]),
  content: z.optional(content),
  blocks: z.optional(z.array(block)),
  reasoning: z.optional(z.union([z.string(), block])),
  calls: z.optional(z.array(callSchema)),
  callId: z.optional(z.string()),
  tool: z.optional(z.string()),
  sampledIds: z.optional(z.array(z.int().check(z.minimum(0), z.maximum(201_087)))),
});
const fileSchema = z.object({
  query: z.optional(z.string()),
  date: z.optional(
    z.string().check(
      z.regex(DAY),
      z.refine((date) => parseDateRange(date) !== undefined, NO_DAY),
    ),
  ),
  effort: z.optional(z.enum(["low", "medium", "high"])),
  instructions: z.optional(z.string()),
  messages: z.optional(z.array(messageSchema).check(z.maxLength(MESSAGES_MAX))),
});
type ConversationFile = z.infer<typeof fileSchema>;

function settingsOf(profile: Profile, date: string): Promise<ContextSettings> {
  return harmonySettings({ tools: toolSchemas(profile), conclusion: profile.conclusion, date });
}

/**
 * Renders the text of a conversation file under a profile. With `query` the profile's prompt for it stands first; then
 * come the `messages`. `now` (milliseconds) dates a file that has no date. Rejects with `invalid_argument`, naming the
 * field, when `text` is not such a file; `name` appears in errors.
 */
export async function renderConversationText(
  text: string,
  name: string,
  scope: { readonly profile: string; readonly now: number },
): Promise<RenderedConversation> {
  // Only models read tokens.
  const profile = profileByName(scope.profile, { policy: COMPLETION_KIND, model: COMPLETION_KIND });
  const file = parseFile(text, name);
  const date = file.date ?? new Date(scope.now).toISOString().slice(0, 10);
  const messages = (file.messages ?? []).map((message, i) => contextMessage(message, `messages.${i}`, name));
  if (file.query !== undefined) {
    const prompt = initialPrompt(headerOf(file.query, Date.parse(date), profile), profile);
    messages.unshift({ role: "user", blocks: [{ text: prompt }] });
  }
  const settings = {
    ...(await settingsOf(profile, date)),
    ...(file.effort === undefined ? {} : { effort: file.effort }),
    ...(file.instructions === undefined ? {} : { instructions: file.instructions }),
  };
  return await rendered(profile.name, settings, messages);
}

/** Renders what a turn of a run was decided on, under the run's own profile; the last turn where none is named. */
export async function renderRecordedTurn(record: RunRecord, turn: number | undefined): Promise<RenderedConversation> {
  const last = record.events.findLast((event) => event.type === "decision")?.turn;
  const wanted = turn ?? last;
  if (wanted === undefined) {
    throw new WinnowError("record_corrupt", "The record holds no turn.", {
      hint: "The run ended before its first decision.",
    });
  }
  const context: RenderedContext = await contextAt(record, wanted);
  return await believingAsync("The record", async () => {
    const profile = recordedProfile(record);
    const date = new Date(record.header.at).toISOString().slice(0, 10);
    return rendered(profile.name, await settingsOf(profile, date), context.messages);
  });
}

async function rendered(
  profile: string,
  settings: ContextSettings,
  messages: readonly ContextMessage[],
): Promise<RenderedConversation> {
  const [{ ContextConversation: Conversation }, { loadHarmonyCodec }, { HarmonyRenderer }, { visiblePieces }] =
    await Promise.all([
      import("../models/harmony/context-conversation.ts"),
      import("../models/harmony/codec.ts"),
      import("../models/harmony/render.ts"),
      import("../models/harmony/visible-text.ts"),
    ]);
  const codec = await loadHarmonyCodec();
  const writer: ContextConversation = new Conversation(settings);
  const conversation = writer.of(messages);
  const { ids, spans } = new HarmonyRenderer(codec).render(conversation);
  const { pieces, spelled } = visiblePieces(ids, codec);
  return {
    profile,
    ids,
    messages: spans.flatMap(({ index, start, end }) => {
      const message = conversation[index];
      return message === undefined ? [] : [{ ...headerFields(message), start, end }];
    }),
    pieces,
    spelled,
  };
}

function headerFields(message: HarmonyMessage): Pick<RenderedConversation["messages"][number], "role"> {
  if (message.kind !== "text") return { role: message.role };
  const { parts: _, kind: __, contentType: ___, ...header } = message;
  return header;
}

function parseFile(text: string, name: string): ConversationFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new WinnowError("invalid_argument", `${name} is not JSON.`, { hint: EXAMPLE, cause: error });
  }
  if (nestsDeeper(value, DEPTH_MAX)) {
    throw new WinnowError("invalid_argument", `${name} nests more than ${DEPTH_MAX} levels deep.`, { hint: EXAMPLE });
  }
  const parsed = z.safeParse(fileSchema, value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const at = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
    throw new WinnowError(
      "invalid_argument",
      `${name} is not a conversation${at}: ${issue?.message ?? "wrong shape"}.`,
      {
        hint: EXAMPLE,
      },
    );
  }
  if (parsed.data.query === undefined && parsed.data.messages === undefined) {
    throw new WinnowError("invalid_argument", `${name} has neither a query nor messages.`, { hint: EXAMPLE });
  }
  return parsed.data;
}

type FileMessage = z.infer<typeof messageSchema>;

function contextMessage(given: FileMessage, at: string, name: string): ContextMessage {
  const { role, reasoning, calls, callId, tool, sampledIds } = given;
  const wrong = wrongWith(given);
  if (wrong !== undefined) throw new WinnowError("invalid_argument", `${name} at ${at}: ${wrong}`, { hint: EXAMPLE });
  const texts = typeof given.content === "string" ? [given.content] : (given.content ?? []);
  return {
    role,
    blocks: given.blocks ?? texts.map((text) => ({ text })),
    ...(reasoning === undefined ? {} : { reasoning: typeof reasoning === "string" ? { text: reasoning } : reasoning }),
    ...(calls === undefined ? {} : { calls: calls.map((call, i) => ({ ...call, id: call.id ?? `${at}.${i}` })) }),
    ...(callId === undefined ? {} : { callId }),
    ...(tool === undefined ? {} : { tool }),
    ...(sampledIds === undefined ? {} : { sampledIds }),
  };
}

function wrongWith({
  role,
  content: text,
  blocks,
  reasoning,
  calls,
  tool,
  sampledIds,
}: FileMessage): string | undefined {
  if (text !== undefined && blocks !== undefined) return "it has both content and blocks.";
  if (role === "tool" && tool === undefined) return 'a tool message needs the name of its "tool".';
  if (role !== "assistant" && (reasoning ?? calls ?? sampledIds) !== undefined) {
    return "only the assistant has reasoning, calls or sampledIds.";
  }
  return undefined;
}

/** The header of a run that asks this and nothing else. */
function headerOf(query: string, at: number, profile: Profile): RecordHeader {
  return {
    type: "header",
    schema: RECORD_SCHEMA,
    runId: "",
    at,
    harness: VERSION,
    query,
    corpora: [],
    policy: { name: "none" },
    profile: { name: profile.name },
    hashes: { profile: "", prompt: "", tools: "" },
    tokenCounter: "o200k",
    seed: 0,
    documentsMax: profile.documentsMax,
    steering: { where: [], exclude: [], known: [] },
    turnsMax: profile.turnsMax,
  };
}
