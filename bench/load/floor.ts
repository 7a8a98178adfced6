import { connect, MatchQuery, Operator } from "@lancedb/lancedb";
import { loadEmbedder, STATIC_EMBEDDER } from "../../src/features/indexing/embedders.ts";
import { corpusLayout } from "../../src/retrieval/corpus/layout.ts";
import { readManifest } from "../../src/retrieval/corpus/manifest.ts";
import type { FindMode } from "../../src/retrieval/corpus-reader.ts";
import { analyzeQuery } from "../../src/retrieval/lexical/analyze.ts";
import { CHUNK_COLUMNS } from "../../src/retrieval/store/lance/lance-rows.ts";
import type { LoadCorpus } from "./corpus.ts";
import { CHUNKS_ASKED, ownCpuMs, type Target } from "./targets.ts";

/** Of what `find` fetches for each chunk that is asked for. */
const CANDIDATES_PER_CHUNK = 3;
/**
 * The floor: the same queries put to Lance itself, their terms and vectors made beforehand, the same columns of as
 * many rows taken as they come. Nothing is fused, placed or checked.
 */
export async function bareStore({ folder, questions }: LoadCorpus, mode: FindMode): Promise<Target> {
  const layout = corpusLayout(folder);
  const committed = await readManifest(layout);
  if (committed === undefined) throw new Error(`There is no index in ${folder}.`);
  const { table: name, version } = committed.manifest.store;
  const database = await connect(layout.storeFolder);
  const table = await database.openTable(name);
  await table.checkout(version);
  const embedder = await loadEmbedder(STATIC_EMBEDDER);
  const vectors = await embedder.embed(questions);
  const terms = questions.map((question) => analyzeQuery(question).join(" "));
  const limit = CANDIDATES_PER_CHUNK * CHUNKS_ASKED;
  const lexical = (i: number): Promise<unknown> => {
    const match = new MatchQuery(terms[i] ?? "", "terms", { fuzziness: 0, operator: Operator.Or });
    return table
      .query()
      .fullTextSearch(match)
      .select([...CHUNK_COLUMNS, "_score"])
      .limit(limit)
      .toArrow();
  };
  const dense = (i: number): Promise<unknown> => {
    const search = table.query().nearestTo(vectors[i] ?? new Float32Array(STATIC_EMBEDDER.dimension));
    return search
      .distanceType("cosine")
      .select([...CHUNK_COLUMNS, "_distance"])
      .limit(limit)
      .toArrow();
  };
  return {
    name: `bare Lance, ${mode}`,
    unit: "queries",
    async ask(number) {
      const i = number % questions.length;
      await Promise.all([mode === "dense" ? undefined : lexical(i), mode === "lexical" ? undefined : dense(i)]);
      return { kind: "answer", answer: "" };
    },
    rssBytes: () => process.memoryUsage.rss(),
    cpuMs: ownCpuMs,
    pulse: async () => 0,
    async close() {
      table.close();
      database.close();
    },
  };
}
