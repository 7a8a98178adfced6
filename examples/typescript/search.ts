// Index a folder, ask a question, watch the run, read what was found.
// node search.js FOLDER "QUESTION"
import { join, resolve } from "node:path";
import { indexCorpus, openCorpus, WinnowError } from "winnow-search";

const [folder = "docs", question = "What did we decide about retries?"] = process.argv.slice(2);

try {
  const { documents } = await indexCorpus({ folder: join(resolve(folder), ".winnow"), paths: [resolve(folder)] });
  console.log(`${documents} documents`);

  const corpus = await openCorpus([], { folder });
  const run = await corpus.search(question, { documents: 5 });
  for await (const event of run) {
    if (event.type === "decision") console.log(`turn ${event.turn}: ${event.calls.map(({ tool }) => tool).join(", ")}`);
    if (event.type === "edit") console.log(`pruned ${event.pruned.length} chunks`);
  }
  const result = await run.result;
  for (const { rank, id, passages } of result.documents) console.log(`${rank}. ${id}:${passages[0]?.line ?? 1}`);

  const [first] = result.documents;
  if (first !== undefined) console.log((await corpus.read(first.id, { from: 1, to: 3 })).text);
  await corpus.close();
} catch (error) {
  if (!WinnowError.isInstance(error)) throw error;
  console.error(`${error.code}: ${error.message}`, error.hint ?? "");
  process.exitCode = 1;
}
