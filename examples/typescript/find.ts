// One query, without an agent: by words and meaning, narrowed by metadata, or by a pattern.
// node find.js FOLDER
import { openCorpus } from "winnow-search";

const corpus = await openCorpus([], { folder: process.argv[2] ?? "." });

const found = await corpus.find("connection pool", { documents: 3, where: ["modified>=2020"] });
for (const { id, score } of found.documents) console.log(id, score.toFixed(3));

const pattern = await corpus.find("[Rr]etr(y|ies)", { mode: "grep" });
console.log(`${pattern.matchesTotal ?? 0} matches`);

const { documents, since } = await corpus.recent({ since: "2020" });
console.log(`${documents} documents moved since ${since.slice(0, 10)}`);

await corpus.close();
