import { writeSync } from "node:fs";
import { indexCorpus } from "../features/index-corpus.ts";

/**
 * A process that indexes until it is killed: `node index-child.js FOLDER PATH COMMIT_INTERVAL_MS`. Prints `reading` when
 * it begins to read and `acknowledged N` when N documents are committed, past any buffer. For tests of kills.
 */
const [folder = "", path = "", commitIntervalMs = "0"] = process.argv.slice(2);
let phase = "";
await indexCorpus(
  { folder, paths: [path], commitIntervalMs: Number(commitIntervalMs) },
  {
    onProgress: (progress) => {
      if (progress.phase !== phase) writeSync(1, `${progress.phase}\n`);
      phase = progress.phase;
    },
    onCommit: ({ documents }) => {
      writeSync(1, `acknowledged ${documents}\n`);
    },
  },
);
