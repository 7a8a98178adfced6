import type { FUSION_TOOL } from "../agent/rollouts.ts";
import type { RunEvent } from "../agent/run.ts";
import { oneLine, plural, stripControl } from "../core/text.ts";
import type { BudgetEvent, DecisionEvent, JsonValue, RecordedChunk, ToolResultEvent } from "../record/events.ts";
import type { Output } from "./output.ts";

/** Holds the passages of the list that rollouts were fused to; the list itself is shown. */
const FUSED: typeof FUSION_TOOL = "fuse_rollouts";
const BAR_CELLS = 24;
/** Titles shown under a query. */
const TITLES_MAX = 3;
const TOOL_UNITS_MAX = 40;
/** As long as a policy may make one. */
const NOTICE_UNITS_MAX = 500;

/** Writes a run turn by turn: what was asked, what came back, how full the window is, what was pruned. */
export class LiveView {
  readonly #output: Output;
  readonly #write: (line: string) => void;
  readonly #chunks = new Map<string, RecordedChunk>();
  readonly #calls = new Map<string, { readonly tool: string; readonly text: string }>();

  readonly #told: Set<string>;

  /** Messages of notices go into `told` as they are shown, and none that is there is shown again. */
  constructor(output: Output, write: (line: string) => void, told = new Set<string>()) {
    this.#output = output;
    this.#write = write;
    this.#told = told;
  }

  show(event: RunEvent): void {
    if (event.type === "decision") this.#decision(event);
    else if (event.type === "tool_result") this.#result(event);
    else if (event.type === "edit") this.#edit(event.by, event.pruned.length, event.tokensFreed);
    else if (event.type === "budget") this.#write(`  ${budgetBar(event, this.#output)}`);
    else if (event.type === "notice" && event.shown === "never") this.#notice(event.message);
    else if (event.type === "notice" && event.code === "conclude_now") this.#write(this.#dim("  asked to conclude"));
  }

  #notice(message: string): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    this.#write(this.#output.style("yellow", `  note: ${clean(message, NOTICE_UNITS_MAX)}`));
  }

  #dim(text: string): string {
    return this.#output.style("dim", text);
  }

  #decision(event: DecisionEvent): void {
    const { style } = this.#output;
    for (const call of event.calls)
      this.#calls.set(call.id, { tool: call.tool, text: callText(call.tool, call.arguments) });
    const finishing = event.calls.some((call) => call.tool === "finish") || (event.text ?? "").includes("<Document");
    const said = clean(event.text ?? event.reasoning ?? "", 160);
    const attempt = event.attempt > 1 ? ` (attempt ${event.attempt})` : "";
    this.#write(`${style("bold", `Turn ${event.turn}`)}${attempt}  ${finishing ? "Concludes." : said}`);
    if (event.error !== undefined) this.#write(style("red", `  ${clean(event.error.message, 200)}`));
    else if (event.finishReason === "length" || event.finishReason === "rejected")
      this.#write(style("yellow", "  answer discarded"));
  }

  #result(event: ToolResultEvent): void {
    for (const chunk of event.chunks) this.#chunks.set(chunk.key, chunk);
    if (event.tool === "prune_chunks" || event.tool === FUSED) return;
    const { style } = this.#output;
    const verb = clean(event.tool.replace(/_corpus|_document/, ""), TOOL_UNITS_MAX);
    const label = `${verb.padEnd(6)} ${this.#calls.get(event.callId)?.text ?? ""}`;
    if (event.error !== undefined) {
      this.#write(`  ${style("cyan", label)}  ${style("yellow", clean(event.error.message, 120))}`);
      return;
    }
    const titles = [...new Set(event.hits.map((hit) => nameOf(this.#chunks.get(hit.key))))].filter(
      (title) => title !== "",
    );
    const more = titles.length > TITLES_MAX ? ", …" : "";
    const shown = titles
      .slice(0, TITLES_MAX)
      .map((title) => clean(title, 40))
      .join(", ");
    this.#write(
      `  ${style("cyan", label)}  ${plural(event.hits.length, "new chunk")}${shown === "" ? "" : this.#dim(`: ${shown}${more}`)}`,
    );
  }

  #edit(by: string, chunks: number, tokens: number): void {
    if (chunks === 0) return;
    const who = by === "policy" ? "" : ` (${by})`;
    this.#write(
      `  ${this.#output.style("yellow", `pruned ${plural(chunks, "chunk")}${who}, ${tokens.toLocaleString("en-US")} tokens freed`)}`,
    );
  }
}

/** `▕██████░░░░│░░▏ 5,210 of 32,768 tokens`, with a mark at the soft limit. */
export function budgetBar(event: Pick<BudgetEvent, "used" | "limit" | "soft" | "hard">, output: Output): string {
  const filled = Math.min(BAR_CELLS, Math.round((event.used / event.limit) * BAR_CELLS));
  const soft = Math.round((event.soft / event.limit) * BAR_CELLS);
  const cells = Array.from({ length: BAR_CELLS }, (_, i) => (i < filled ? "█" : i === soft ? "│" : "░")).join("");
  const style = event.used >= event.hard ? "red" : event.used >= event.soft ? "yellow" : "green";
  const numbers = `${event.used.toLocaleString("en-US")} of ${event.limit.toLocaleString("en-US")} tokens`;
  return `${output.style(style, `▕${cells}▏`)} ${output.style("dim", numbers)}`;
}

/** A document without a title goes by the end of its id. */
function nameOf(chunk: RecordedChunk | undefined): string {
  if (chunk === undefined) return "";
  return chunk.title.trim() === "" ? (chunk.documentId.split(/[/#]/).at(-1) ?? "") : chunk.title;
}

function callText(tool: string, values: JsonValue): string {
  if (typeof values !== "object" || values === null || Array.isArray(values)) return "";
  const named = values as Readonly<Record<string, JsonValue>>;
  const value = named["query"] ?? named["pattern"] ?? named["doc_id"];
  if (typeof value !== "string") return "";
  return tool === "grep_corpus" ? `/${clean(value, 70)}/` : `"${clean(value, 70)}"`;
}

function clean(text: string, units: number): string {
  return oneLine(stripControl(text), units);
}
