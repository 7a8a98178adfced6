import type { RenderedContext, ShownChunk } from "../../context/rendered.ts";

/** A search that the context shows, with the chunks of its result that are still visible, in their order. */
export interface PastSearch {
  readonly query: string;
  readonly chunks: readonly ShownChunk[];
}

/** What the rules know: all of it read from the rendered context, nothing remembered. */
export interface Evidence {
  readonly searches: readonly PastSearch[];
  /** Visible chunks, in the order in which they were shown, with their tokens. */
  readonly chunks: readonly { readonly chunk: ShownChunk; readonly tokens: number }[];
  /** Pruned chunks whose stubs are visible, in the order in which they were shown. */
  readonly pruned: readonly { readonly shownId: string; readonly shownDocumentId: string }[];
  /** Searches of the last turn. */
  readonly last: readonly PastSearch[];
}

export function readEvidence(context: RenderedContext): Evidence {
  const queries = new Map<string, string>();
  const searches: PastSearch[] = [];
  const chunks: { chunk: ShownChunk; tokens: number }[] = [];
  const pruned: { shownId: string; shownDocumentId: string }[] = [];
  let last: PastSearch[] = [];
  for (const message of context.messages) {
    if (message.role === "assistant") {
      last = [];
      for (const call of message.calls ?? []) {
        const query = queryOf(call.arguments);
        if (call.tool === "search_corpus" && query !== undefined) queries.set(call.id, query);
      }
    }
    if (message.role !== "tool" || message.callId === undefined) continue;
    const shown = message.blocks.flatMap((block) =>
      block.chunk === undefined ? [] : [{ chunk: block.chunk, tokens: block.tokens }],
    );
    chunks.push(...shown);
    pruned.push(...message.blocks.flatMap((block) => block.pruned ?? []));
    const query = queries.get(message.callId);
    if (query === undefined) continue;
    const search = { query, chunks: shown.map(({ chunk }) => chunk) };
    searches.push(search);
    last.push(search);
  }
  return { searches, chunks, pruned, last };
}

function queryOf(values: unknown): string | undefined {
  if (typeof values !== "object" || values === null || !("query" in values)) return undefined;
  return typeof values.query === "string" ? values.query : undefined;
}
