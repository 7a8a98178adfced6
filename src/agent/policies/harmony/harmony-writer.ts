import type { HarmonyCodec } from "../../../models/harmony/codec.ts";
import { ContextConversation } from "../../../models/harmony/context-conversation.ts";
import type { ReasoningEffort } from "../../../models/harmony/conversation.ts";
import { HarmonyRenderer } from "../../../models/harmony/render.ts";
import type { View } from "../../policy.ts";
import { harmonySettings } from "./harmony-settings.ts";

/** Kinds of runs whose settings are kept: profiles, days, sets of tools. */
const CONVERSATIONS_MAX = 16;

/**
 * Writes views as token ids. Keeps no state but what it has encoded before, by the identity of messages and blocks, so
 * that a turn costs only what is new; runs may share it.
 */
export class HarmonyWriter {
  readonly #renderer: HarmonyRenderer;
  readonly #effort: ReasoningEffort | undefined;
  readonly #conversations = new Map<string, ContextConversation>();

  constructor(codec: HarmonyCodec, effort: ReasoningEffort | undefined) {
    this.#renderer = new HarmonyRenderer(codec);
    this.#effort = effort;
  }

  /** The prompt, up to where the assistant's next message begins. */
  async write(view: View): Promise<readonly number[]> {
    const conversation = await this.#conversation(view);
    return this.#renderer.render(conversation.of(view.context.messages)).ids;
  }

  async #conversation({ tools, conclusion, date }: View): Promise<ContextConversation> {
    const key = JSON.stringify([tools, conclusion, date]);
    let known = this.#conversations.get(key);
    if (known === undefined) {
      known = new ContextConversation(await harmonySettings({ tools, conclusion, date, effort: this.#effort }));
      if (this.#conversations.size >= CONVERSATIONS_MAX) this.#conversations.clear();
      this.#conversations.set(key, known);
    }
    return known;
  }
}
