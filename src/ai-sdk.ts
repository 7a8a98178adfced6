/** Winnow as a tool of any agent of the AI SDK. Public surface of `winnow-search/ai-sdk`; needs the package `ai`. */
import { jsonSchema, type Tool, tool } from "ai";
import type { Corpus } from "./corpus.ts";
import { type SearchAnswer, searchAnswer, searchAnswerText } from "./features/callers/search-answer.ts";

export type { ListedDocument } from "./features/callers/listed-documents.ts";
export type { SearchAnswer } from "./features/callers/search-answer.ts";

/** Documents that the agent is given when it does not say how many it wants. */
const DOCUMENTS = 8;

export interface SearchToolInput {
  readonly question: string;
  readonly documents?: number;
  readonly where?: readonly string[];
  readonly since?: string;
}

export interface SearchToolOptions {
  /** What the agent is told of the corpus, e.g. "our engineering decisions since 2023". */
  readonly about?: string;
}

/**
 * A tool that searches the corpus by several hops and gives the agent a short ranked list of cited passages. Cancelling the
 * agent cancels the run. What goes wrong is thrown as `WinnowError`, which the SDK shows to the model.
 */
export function searchTool(corpus: Corpus, options: SearchToolOptions = {}): Tool<SearchToolInput, SearchAnswer> {
  const about = options.about === undefined ? "" : ` The corpus: ${options.about}.`;
  return tool({
    description: `Finds the documents that answer a question, also one that needs several of them, and returns a ranked list with the passages that matter, each with path, date and repository. Ask a whole question, not keywords. Cite what you use; when the list is empty, say that the corpus does not have it.${about}`,
    inputSchema: jsonSchema<SearchToolInput>({
      type: "object",
      properties: {
        question: { type: "string", description: "A whole question, as a person would ask it." },
        documents: {
          type: "integer",
          minimum: 1,
          maximum: 30,
          description: `Documents at most, ${DOCUMENTS} by default.`,
        },
        where: {
          type: "array",
          items: { type: "string" },
          description: 'Filters on metadata, all of which must hold, e.g. "modified>=2026-05".',
        },
        since: { type: "string", description: "Only documents that changed since this ISO date, whole or in part." },
      },
      required: ["question"],
      additionalProperties: false,
    }),
    async execute({ question, documents = DOCUMENTS, where, since }, { abortSignal }) {
      const run = await corpus.search(question, {
        documents,
        ...(where === undefined ? {} : { where }),
        ...(since === undefined ? {} : { since }),
        ...(abortSignal === undefined ? {} : { signal: abortSignal }),
      });
      return searchAnswer(await run.result, corpus.folder);
    },
    toModelOutput: (...given: readonly unknown[]) => ({ type: "text", value: searchAnswerText(outputOf(given[0])) }),
  });
}

/** Version 5 of the SDK hands over the output itself, version 6 an object that holds it. */
function outputOf(given: unknown): SearchAnswer {
  const { output } = given as { readonly output?: SearchAnswer };
  return output ?? (given as SearchAnswer);
}
