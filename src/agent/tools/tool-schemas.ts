import { offeredTools, type Profile, type ToolName } from "../profiles/profile.ts";
import { CONSTRAINT_STATUSES } from "./constraints.ts";

/** A tool as a model is told of it (JSON Schema parameters). */
export interface ToolSchema {
  readonly name: ToolName;
  readonly description: string;
  readonly parameters: {
    readonly type: "object";
    readonly properties: Readonly<Record<string, ParameterSchema>>;
    readonly required: readonly string[];
  };
}

interface ParameterSchema {
  readonly type: "string" | "array" | "object";
  readonly description: string;
  readonly enum?: readonly string[];
  readonly items?: {
    readonly type: "string" | "object";
    readonly properties?: Readonly<Record<string, ParameterSchema>>;
    readonly required?: readonly string[];
  };
}

const text = (description: string): ParameterSchema => ({ type: "string", description });
const texts = (description: string): ParameterSchema => ({ type: "array", description, items: { type: "string" } });

const WHERE = texts(
  'Optional filters on metadata, all of which must hold, e.g. ["modified>=2026-05", "language=typescript"].',
);

const CONSTRAINTS: ParameterSchema = {
  type: "array",
  description: "What the question asks of its answer, one entry for each thing.",
  items: {
    type: "object",
    properties: {
      constraint: text("In a few words."),
      status: { ...text("What the documents say of it; missing: none says anything."), enum: CONSTRAINT_STATUSES },
      ids: texts("Ids of the chunks that show it."),
    },
    required: ["constraint", "status"],
  },
};
const QUOTE = text("Words of the document that show it, copied exactly, a sentence at most.");

/** Names and parameters follow reference/context-1.md §2.2; chat profiles add `where` and `finish`. */
export function toolSchemas(profile: Profile): readonly ToolSchema[] {
  const extended = profile.conclusion === "finish_tool";
  const isChecked = profile.finishEvidence === "checked";
  const where: Record<string, ParameterSchema> = extended ? { where: WHERE } : {};
  const { perCallHits, perCallTokens } = profile.budget;
  const all: Record<ToolName, Omit<ToolSchema, "name">> = {
    search_corpus: {
      description: `Search by meaning and words. Returns at most ${perCallHits} chunks or ${perCallTokens} tokens, best first, without those already shown.`,
      parameters: { type: "object", properties: { query: text("What to look for."), ...where }, required: ["query"] },
    },
    grep_corpus: {
      description: `Search by regular expression (no look-around). Returns the first ${profile.retrieval.grepHits} matching chunks and the number of all matches.`,
      parameters: { type: "object", properties: { pattern: text("The pattern."), ...where }, required: ["pattern"] },
    },
    read_document: {
      description: "Read a document, chunk by chunk, or what stands around a chunk.",
      parameters: {
        type: "object",
        properties: { doc_id: text("Id of a document or of a chunk.") },
        required: ["doc_id"],
      },
    },
    follow_metadata: {
      description:
        "Show what shares a value of metadata with a chunk, in every corpus, oldest first: for example the session in which a failing call was made. With a query, what fits it best comes first.",
      parameters: {
        type: "object",
        properties: {
          key: text("Key as it stands under a chunk's title, e.g. session_id."),
          value: text("Its value."),
          query: text("Optional: what to look for among them."),
        },
        required: ["key", "value"],
      },
    },
    prune_chunks: {
      description: "Remove chunks from your context to make room.",
      parameters: { type: "object", properties: { chunk_ids: texts("Ids of the chunks.") }, required: ["chunk_ids"] },
    },
    update_notes: {
      description: `Replace your notes. They are always shown to you last, up to ${profile.notesTokensMax ?? 0} tokens.`,
      parameters: {
        type: "object",
        properties: { constraints: CONSTRAINTS, text: text("Anything else worth keeping.") },
        required: ["constraints"],
      },
    },
    finish: {
      description: "End the search with the ranked list of documents, best first.",
      parameters: {
        type: "object",
        properties: {
          documents: {
            type: "array",
            description: `At most ${profile.documentsMax} documents.`,
            items: {
              type: "object",
              properties: {
                id: text("Id of a document or of its best chunk."),
                justification: text("One or two sentences: which part of the question it supports."),
                ...(isChecked ? { quote: QUOTE } : {}),
              },
              required: isChecked ? ["id", "justification", "quote"] : ["id"],
            },
          },
          ...(isChecked ? { coverage: CONSTRAINTS } : {}),
        },
        required: ["documents"],
      },
    },
  };
  return offeredTools(profile).map((name) => ({ name, ...all[name] }));
}
