import { truncate } from "../core/text.ts";
import { postJson } from "./embedding-service.ts";
import { field, RERANK_TEXT_UNITS_MAX, type RerankServiceOptions, rerankService, unusable } from "./rerank-service.ts";

/**
 * A reranker behind Cohere's wire format (`POST BASE/rerank`), which vLLM, Jina and others serve as well. Named
 * `cohere:MODEL`. Throws `invalid_argument` for an address or key that cannot be used; `score` rejects with
 * `rerank_failed`, `timeout` or `cancelled`.
 */
export function cohereReranker(options: RerankServiceOptions) {
  const service = rerankService(options, "/rerank");
  return {
    name: `cohere:${options.model}`,
    score(query: string, texts: readonly string[], signal?: AbortSignal): Promise<readonly number[]> {
      const documents = texts.map((text) => truncate(text, RERANK_TEXT_UNITS_MAX));
      const body = { model: options.model, query, documents, top_n: documents.length };
      return postJson(service, body, (answer) => scoresOf(answer, texts.length), signal);
    },
  };
}

/** Every text must be scored once; a list that is cut or repeats itself would order by chance. */
function scoresOf(answer: unknown, count: number): readonly number[] {
  const results = field(answer, "results");
  if (!Array.isArray(results)) throw unusable("no list of results");
  const scores = new Map<number, number>();
  for (const result of results as readonly unknown[]) {
    const [index, score] = [field(result, "index"), field(result, "relevance_score")];
    if (typeof index === "number" && typeof score === "number" && Number.isFinite(score)) scores.set(index, score);
  }
  const ordered = Array.from({ length: count }, (_, i) => scores.get(i));
  if (results.length !== count || ordered.includes(undefined)) {
    throw unusable(`${scores.size} scores for ${count} texts`);
  }
  return ordered.map((score) => score ?? 0);
}
