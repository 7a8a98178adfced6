import { toWinnowError } from "../../core/errors.ts";
import type { Filter } from "../../core/filter.ts";
import { parseFilter } from "../../core/filter-parse.ts";
import { didYouMean } from "../../core/suggest.ts";
import { truncate } from "../../core/text.ts";
import type { RecordedCall } from "../../record/events.ts";
import type { ToolName } from "../profiles/profile.ts";
import { type Constraint, readConstraints } from "./constraints.ts";

/** Longest query in UTF-16 units; the rest is cut, since a longer one only dilutes the search. */
export const QUERY_UNITS_MAX = 1_000;
/** Longest text of notes in UTF-16 units; what the window shows of them is bounded in tokens as well. */
const NOTES_UNITS_MAX = 8_000;
const QUOTE_UNITS_MAX = 2_000;
/** Ids that one call may name. */
export const IDS_PER_CALL_MAX = 500;

export interface FinalEntry {
  readonly id: string;
  readonly justification: string;
  /** Text of the document that shows it, in its words. */
  readonly quote?: string;
}

export type CheckedCall =
  | { readonly tool: "search_corpus"; readonly query: string; readonly where: Filter }
  | { readonly tool: "grep_corpus"; readonly pattern: string; readonly where: Filter }
  | { readonly tool: "read_document"; readonly id: string }
  | { readonly tool: "follow_metadata"; readonly key: string; readonly value: string; readonly query?: string }
  | { readonly tool: "prune_chunks"; readonly ids: readonly string[] }
  | { readonly tool: "update_notes"; readonly constraints: readonly Constraint[]; readonly text: string }
  | {
      readonly tool: "finish";
      readonly documents: readonly FinalEntry[];
      /** Undefined where the policy gave none. */
      readonly coverage?: readonly Constraint[];
    };

export type CallCheck = { readonly call: CheckedCall } | { readonly error: string };

/** Checks what a policy wrote. Never throws: what is wrong comes back as one short sentence that the policy can act on. */
export function checkCall(recorded: RecordedCall, offered: readonly ToolName[]): CallCheck {
  const tool = offered.find((name) => name === recorded.tool);
  if (tool === undefined) {
    const name = truncate(recorded.tool, 60);
    return { error: `There is no tool "${name}".${didYouMean(name, offered)} Tools: ${offered.join(", ")}.` };
  }
  const values = recorded.arguments;
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    return { error: `The arguments of ${tool} must be one JSON object.` };
  }
  return CHECKS[tool](values as Readonly<Record<string, unknown>>);
}

type Values = Readonly<Record<string, unknown>>;

const CHECKS: Readonly<Record<ToolName, (values: Values) => CallCheck>> = {
  search_corpus(values) {
    const query = firstText(values, ["query", "q", "text"]);
    if (query === undefined) return { error: 'search_corpus needs a "query" that is not empty.' };
    return withWhere(values, (where) => ({ tool: "search_corpus", query: truncate(query, QUERY_UNITS_MAX), where }));
  },
  grep_corpus(values) {
    const pattern = firstText(values, ["pattern", "regex"]);
    if (pattern === undefined) return { error: 'grep_corpus needs a "pattern" that is not empty.' };
    return withWhere(values, (where) => ({ tool: "grep_corpus", pattern, where }));
  },
  read_document(values) {
    const id = firstText(values, ["doc_id", "id", "document_id", "chunk_id"]);
    return id === undefined ? { error: 'read_document needs a "doc_id".' } : { call: { tool: "read_document", id } };
  },
  follow_metadata(values) {
    const key = firstText(values, ["key", "field"]);
    const value = firstText(values, ["value"]);
    if (key === undefined || value === undefined) {
      return { error: 'follow_metadata needs a "key" and a "value", as they stand under a chunk\'s title.' };
    }
    const query = firstText(values, ["query"]);
    const about = query === undefined ? {} : { query: truncate(query, QUERY_UNITS_MAX) };
    return { call: { tool: "follow_metadata", key, value, ...about } };
  },
  prune_chunks(values) {
    const ids = textList(values["chunk_ids"] ?? values["ids"] ?? values["chunk_id"]);
    if (ids === undefined || ids.length === 0) return { error: 'prune_chunks needs "chunk_ids", a list of ids.' };
    return { call: { tool: "prune_chunks", ids: ids.slice(0, IDS_PER_CALL_MAX) } };
  },
  update_notes(values) {
    const constraints = readConstraints(values["constraints"]) ?? [];
    const text = truncate(firstText(values, ["text", "notes"]) ?? "", NOTES_UNITS_MAX);
    if (constraints.length > 0 || text !== "") return { call: { tool: "update_notes", constraints, text } };
    return { error: 'update_notes needs "constraints", a list of { constraint, status }, or "text".' };
  },
  finish(values) {
    const list = values["documents"];
    if (!Array.isArray(list)) return { error: 'finish needs "documents", a list (it may be empty).' };
    const documents = list.slice(0, IDS_PER_CALL_MAX).flatMap((item: unknown): FinalEntry[] => {
      if (typeof item === "string") return [{ id: item, justification: "" }];
      if (typeof item !== "object" || item === null) return [];
      const entry = item as Values;
      const id = firstText(entry, ["id", "doc_id", "document_id"]);
      if (id === undefined) return [];
      const quote = firstText(entry, ["quote"]);
      const justification = firstText(entry, ["justification", "reason"]) ?? "";
      return [{ id, justification, ...(quote === undefined ? {} : { quote: truncate(quote, QUOTE_UNITS_MAX) }) }];
    });
    const coverage = readConstraints(values["coverage"]);
    return { call: { tool: "finish", documents, ...(coverage === undefined ? {} : { coverage }) } };
  },
};

function withWhere(values: Values, build: (where: Filter) => CheckedCall): CallCheck {
  const expressions = values["where"] === undefined ? [] : textList(values["where"]);
  if (expressions === undefined) return { error: '"where" must be a list of filters such as "modified>=2026-05".' };
  try {
    return { call: build(parseFilter(expressions)) };
  } catch (error) {
    const known = toWinnowError(error);
    return { error: [known.message, known.hint ?? ""].join(" ").trim() };
  }
}

/** The first of these fields that holds text. A number stands for its digits, since models write ids so. */
function firstText(values: Values, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = values[name];
    if (typeof value === "string" && value.trim() !== "") return value.trim();
    if (typeof value === "number") return String(value);
  }
  return undefined;
}

function textList(value: unknown): string[] | undefined {
  if (typeof value === "string") return [value];
  if (!Array.isArray(value)) return undefined;
  return value
    .filter((item): item is string | number => typeof item === "string" || typeof item === "number")
    .map(String);
}
