import { oneLine } from "../../core/text.ts";

/** What a model's output deviated in, and what was done about it. */
export type RepairCode =
  /** A message was given an end that it lacked. */
  | "missing_end"
  /** A message began without `<|start|>`. */
  | "missing_start"
  /** A message had no `<|message|>`: what followed its header was taken as its text. */
  | "missing_message"
  /** The output ended within a header, which was left out. */
  | "cut_header"
  /** A header named no role; the assistant's was taken. */
  | "missing_role"
  /** A header named a channel without `<|channel|>`. */
  | "missing_channel_token"
  /** A header gave the same thing twice; the first counts. */
  | "duplicate_header"
  /** A header held text that means nothing there; it was left out. */
  | "header_text"
  /** A recipient stood without `to=`. */
  | "recipient_without_to"
  /** A special token that has no place there was left out. */
  | "stray_special"
  /** An id that the vocabulary does not have was left out. */
  | "invalid_id"
  /** Bytes that are no UTF-8 became U+FFFD. */
  | "invalid_utf8"
  /** Text between messages was left out. */
  | "stray_text"
  /** Messages beyond the limit of one output were left out. */
  | "too_many_messages"
  /** A message in another role than the assistant's was left out. */
  | "foreign_role"
  /** A call on the analysis, final, no or an unknown channel was taken as one on commentary. */
  | "call_redirected"
  /** Text without a channel, or on an unknown one, was taken as reasoning. */
  | "text_as_reasoning"
  /** Text on commentary was taken as the answer, since there was neither a call nor a final message. */
  | "commentary_as_answer"
  /** A message on commentary had an empty recipient. */
  | "empty_recipient"
  /** A tool was named with more around its name than the namespace. */
  | "tool_name"
  /** JSON was followed or preceded by other text, which was left out. */
  | "json_surrounded"
  /** Escapes or line ends within JSON text were not valid. */
  | "json_escapes"
  /** JSON was written loosely (quotes, commas, literals, keys). */
  | "json_loose"
  /** JSON ended too early and was closed. */
  | "json_closed"
  /** JSON stood inside a JSON text. */
  | "json_in_text"
  /** Arguments are no JSON; they are passed on as text, for the tool to refuse. */
  | "json_unusable"
  /** A parallel call had an entry that names no tool; it is passed on, to be refused. */
  | "parallel_entry"
  /** Calls beyond the limit of one output were left out. */
  | "too_many_calls";

export interface Repair {
  readonly code: RepairCode;
  /** Index of the id at which it was seen, in the output as given. */
  readonly at: number;
  /** What was there, shortened. */
  readonly detail?: string;
}

/** Repairs of one output that are listed; an output with more is hopeless anyway. */
export const REPAIRS_MAX = 64;
const DETAIL_UNITS_MAX = 80;

/** Collects repairs up to the limit. */
export class RepairList {
  readonly items: Repair[] = [];

  add(code: RepairCode, at: number, detail?: string): void {
    if (this.items.length >= REPAIRS_MAX) return;
    this.items.push(detail === undefined ? { code, at } : { code, at, detail: oneLine(detail, DETAIL_UNITS_MAX) });
  }
}
