import type { RecordedChunk, RecordedDocument } from "../record/events.ts";
import { analyzeQuery, analyzeText } from "../retrieval/lexical/analyze.ts";
import { bestSentence, reason } from "./reason.ts";

/**
 * Documents that a policy listed by the question's ranking alone, with the sentence of their best passage that answers the
 * question as their reason. The others stay as they are.
 */
export function withUnreadReasons(
  documents: readonly RecordedDocument[],
  question: string,
  unread: ReadonlyMap<string, RecordedChunk>,
): RecordedDocument[] {
  const listed = documents.flatMap(({ chunks: [key = ""] }) => unread.get(key) ?? []);
  const words = listed.map((chunk) => new Set(analyzeText(chunk.text)));
  const asked = {
    terms: [...new Set(analyzeQuery(question))],
    weight: (term: string) => Math.log(1 + (words.length + 1) / (1 + words.filter((own) => own.has(term)).length)),
    termsOf: analyzeText,
  };
  return documents.map((document) => {
    const [key = ""] = document.chunks;
    const chunk = unread.get(key);
    if (document.justification !== "" || chunk === undefined) return document;
    const { text } = bestSentence(chunk.text, [chunk.title, ...chunk.headings], asked);
    return text === "" ? document : { ...document, justification: reason({ sentence: text }) };
  });
}
