import { readFile, stat } from "node:fs/promises";
import { systemErrorCode, WinnowError } from "../../core/errors.ts";
import { plural, stripControl } from "../../core/text.ts";
import { openRecord } from "../../features/open-record.ts";
import {
  type RenderedConversation,
  renderConversationText,
  renderRecordedTurn,
} from "../../features/render-conversation.ts";
import type { Output } from "../output.ts";
import type { CommandRun } from "../program.ts";
import { commandContext, numberOption, textOption } from "../scope.ts";

/** A conversation at the limit of the largest window is a tenth of this. */
const FILE_BYTES_MAX = 64_000_000;

export const run: CommandRun = async (args, options, scope) => {
  const { config, corpusScope } = await commandContext(scope);
  const [given] = args;
  const turn = numberOption(options, "turn");
  const profile = textOption(options, "profile");
  let conversation: RenderedConversation;
  if (given?.endsWith(".json") === true) {
    if (turn !== undefined) {
      throw new WinnowError("invalid_argument", "A conversation file has no turns.", { hint: "Leave --turn out." });
    }
    conversation = await renderConversationText(await readConversation(given), given, {
      profile: profile ?? config.settings.profile,
      now: Date.now(),
    });
  } else {
    if (profile !== undefined) {
      throw new WinnowError("invalid_argument", "A run is rendered under the profile that it was made with.", {
        hint: "Leave --profile out, or name a conversation file that ends in .json.",
      });
    }
    conversation = await renderRecordedTurn((await openRecord(given, corpusScope)).record, turn);
  }
  show(conversation, scope.output);
  return 0;
};

async function readConversation(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > FILE_BYTES_MAX) {
      throw new WinnowError(
        "limit_exceeded",
        `${file} has ${size} bytes; a conversation has ${FILE_BYTES_MAX} at most.`,
      );
    }
    return await readFile(file, "utf8");
  } catch (error) {
    if (WinnowError.isInstance(error)) throw error;
    throw new WinnowError("invalid_argument", `${file} cannot be read (${systemErrorCode(error) ?? "unknown"}).`, {
      hint: "Give the path of a conversation file, or the id of a run: winnow runs",
      cause: error,
    });
  }
}

function show(conversation: RenderedConversation, output: Output): void {
  const { profile, ids, messages, pieces, spelled } = conversation;
  if (output.json) {
    const text = pieces.map((piece) => piece.text).join("");
    output.printJson({
      schema: "tokens/1",
      encoding: "o200k_harmony",
      profile,
      tokens: ids.length,
      ids,
      messages,
      text,
    });
    return;
  }
  // Each message begins on a line of its own; the tokens have no line end there.
  let line = "";
  for (const { special, text } of pieces) {
    if (special && text === "<|start|>" && line !== "") {
      output.print(line);
      line = "";
    }
    line += special ? output.style("cyan", text) : stripControl(text);
  }
  output.print(line);
  output.say(`${plural(ids.length, "token")}, ${plural(messages.length, "message")}, profile ${profile}`);
  if (spelled > 0) {
    output.say(`note: text spells a special token ${spelled === 1 ? "once" : `${spelled} times`}, shown as <\\|…|>.`);
  }
}
