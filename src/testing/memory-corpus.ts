import { WinnowError } from "../core/errors.ts";
import { matchesFilter } from "../core/filter-match.ts";
import type { Chunk, Hit } from "../core/types.ts";
import {
  type CorpusReader,
  chunkKey,
  type FindQuery,
  type GrepHit,
  type GrepQuery,
} from "../retrieval/corpus-reader.ts";
import { OPENING_UNITS_MAX } from "../retrieval/list-documents.ts";

const K1 = 1.2;
const B = 0.75;

interface Indexed {
  readonly chunk: Chunk;
  readonly counts: ReadonlyMap<string, number>;
  readonly length: number;
}

function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** A corpus held in memory, searched by exact BM25 over title and text. For tests; sized for thousands of chunks. */
export function memoryCorpus(name: string, chunks: readonly Chunk[]): CorpusReader {
  const indexed = chunks.map((chunk): Indexed => {
    const terms = words([chunk.title, ...chunk.headings, chunk.text].join(" "));
    const counts = new Map<string, number>();
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
    return { chunk, counts, length: terms.length };
  });
  const averageLength = indexed.reduce((total, { length }) => total + length, 0) / Math.max(1, indexed.length);
  const allowed = (chunk: Chunk, query: FindQuery | GrepQuery): boolean =>
    query.excludeDocuments?.has(chunk.documentId) !== true && matchesFilter(query.where ?? [], chunk.metadata);
  return {
    name,
    async info() {
      const documents = new Set(chunks.map((chunk) => chunk.documentId)).size;
      const tokens = chunks.reduce((total, chunk) => total + chunk.tokens, 0);
      const metadataKeys = [...new Set(chunks.flatMap((chunk) => Object.keys(chunk.metadata)))];
      const fixed = { location: "memory", generation: 1, tokenCounter: "o200k", embedder: null };
      return { name, documents, chunks: chunks.length, tokens, metadataKeys, ...fixed };
    },
    async find(query) {
      query.signal?.throwIfAborted();
      const terms = [...new Set(words(query.text))];
      const frequency = new Map(terms.map((term) => [term, indexed.filter(({ counts }) => counts.has(term)).length]));
      const hits: Hit[] = [];
      for (const { chunk, counts, length } of indexed) {
        if (query.exclude?.has(chunkKey(name, chunk.id)) === true || !allowed(chunk, query)) continue;
        let score = 0;
        for (const term of terms) {
          const count = counts.get(term) ?? 0;
          const df = frequency.get(term) ?? 0;
          const idf = Math.log(1 + (indexed.length - df + 0.5) / (df + 0.5));
          score += (idf * count * (K1 + 1)) / (count + K1 * (1 - B + (B * length) / averageLength));
        }
        if (score > 0) hits.push({ corpus: name, chunk, score });
      }
      hits.sort((a, b) => b.score - a.score || (a.chunk.id < b.chunk.id ? -1 : 1));
      return { hits: hits.slice(0, query.chunksMax).map((hit, i) => ({ ...hit, lexicalRank: i + 1 })), notices: [] };
    },
    async grep(query) {
      const { RE2JS } = await import("re2js");
      let pattern: InstanceType<typeof RE2JS>;
      try {
        pattern = RE2JS.compile(query.pattern, RE2JS.MULTILINE);
      } catch {
        throw new WinnowError("invalid_pattern", "The pattern is not supported.", {
          hint: "Use plain regular expressions.",
        });
      }
      const hits: GrepHit[] = [];
      let matchesTotal = 0;
      const documents = new Set<string>();
      for (const { chunk } of indexed) {
        if (!allowed(chunk, query)) continue;
        const matcher = pattern.matcher(chunk.text);
        let matches = 0;
        let first: GrepHit["match"] | undefined;
        while (matcher.find()) {
          matches++;
          const at = matcher.start();
          const lineText = chunk.text.slice(chunk.text.lastIndexOf("\n", at - 1) + 1).split("\n")[0] ?? "";
          first ??= { start: chunk.start + at, end: chunk.start + matcher.end(), line: chunk.line, lineText };
        }
        if (first === undefined) continue;
        matchesTotal += matches;
        documents.add(chunk.documentId);
        hits.push({ hit: { corpus: name, chunk, score: 1 }, match: first, matches });
      }
      const shown = hits.slice(0, query.chunksMax);
      return { hits: shown, matchesTotal, documentsTotal: documents.size, truncated: false, notices: [] };
    },
    async read({ documentId, from = 0, to = Number.POSITIVE_INFINITY }) {
      const found = chunks.filter((chunk) => chunk.documentId === documentId);
      if (found.length === 0) throw new WinnowError("document_not_found", `There is no document ${documentId}.`);
      return found.filter((chunk) => chunk.index >= from && chunk.index <= to).sort((a, b) => a.index - b.index);
    },
    async documents({ where = [] }) {
      const first = chunks.filter((chunk) => chunk.index === 0 && matchesFilter(where, chunk.metadata));
      const documents = first.map(({ documentId, uri, title, metadata, count, text }) => {
        return { id: documentId, uri, title, metadata, chunks: count, opening: text.slice(0, OPENING_UNITS_MAX) };
      });
      return { documents: documents.sort((a, b) => (a.id < b.id ? -1 : 1)), truncated: false };
    },
    async close() {},
  };
}
