import { WORLD_CHUNK_TOKENS } from "../eval/world/documents.ts";
import type { WorldSummary } from "./synthetic-world.ts";

/** The README of a world: what is in the folder and how it came about. */
export function worldCard(name: string, summary: WorldSummary): string {
  const number = (value: number) => value.toLocaleString("en-US");
  const hops = Object.entries(summary.multiHop).map(([n, count]) => `${number(count)} of ${n} hops`);
  return `# ${name}

A synthetic corpus with questions, made by \`winnow world\`. Everything in it is invented. The same command makes the same bytes:

\`\`\`sh
winnow world ${name} --chunks ${summary.chunks} --seed ${summary.seed} --questions ${summary.singleHop}
winnow eval ${name} --policy find:lexical
winnow eval ${name}/single-hop --policy find:lexical
\`\`\`

${number(summary.documents)} documents, ${number(summary.chunks)} chunks of about ${WORLD_CHUNK_TOKENS} tokens, ${number(summary.tokens)} tokens (${summary.tokenCounter}).

| file | what is in it |
|---|---|
| corpus.jsonl | documents of 2 to 10 chunks; titles are their ids |
| queries.jsonl, qrels.tsv | ${hops.join(", ")}; every document of a chain is relevant |
| evidence.jsonl | for every fact: question, hop, document, chunk, UTF-16 offsets, subject, relation, object |
| unanswerable.jsonl | ${number(summary.unanswerable)} questions of which one link is told nowhere; no labels |
| single-hop/ | ${number(summary.singleHop)} questions of one hop over the same corpus, a guard against regressions |
| world.json | the numbers above, and the hash of the corpus |

**Questions.** A question names the first entity and the relations to follow ("Who is the mayor of the town where the author of X was born?"). Each link is told once, in one sentence of one document; the names in between are in no question. The wording of a relation differs between documents and questions.

**Distractors.** For every link: the same relation told twice of names that are easily taken for the subject's, another relation of the subject, and one or two sentences that name it and say nothing. All sentences around one question lie in different documents. The background tells the same relations of other names, once a chunk or so.

**Background.** Sentences from a small grammar, nouns of two topics a document, words drawn by Zipf's law. It reads like prose and says nothing.
`;
}
