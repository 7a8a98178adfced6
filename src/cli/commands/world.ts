import { resolve } from "node:path";
import { plural } from "../../core/text.ts";
import { writeWorld } from "../../features/synthetic-world.ts";
import type { CommandRun } from "../program.ts";
import { numberOption } from "../scope.ts";

export const run: CommandRun = async (args, options, { output, signal }) => {
  const questions = numberOption(options, "questions");
  const begun = performance.now();
  const summary = await writeWorld({
    folder: resolve(args[0] ?? ""),
    chunks: numberOption(options, "chunks") ?? 0,
    seed: numberOption(options, "seed") ?? 0,
    signal,
    onProgress: (done, total) => {
      if (done % 100 === 0) output.progress(`${done.toLocaleString("en-US")} of ${plural(total, "document")}`);
    },
    ...(questions === undefined ? {} : { questions }),
  });
  if (output.json) {
    output.printJson(summary);
    return 0;
  }
  const seconds = (performance.now() - begun) / 1000;
  const hops = Object.entries(summary.multiHop).map(([n, count]) => `${count} of ${n} hops`);
  output.print(
    `${plural(summary.documents, "document")}, ${plural(summary.chunks, "chunk")}, ${plural(summary.tokens, "token")}, ${(summary.corpusBytes / 1e6).toFixed(1)} MB`,
  );
  output.print(
    `questions: ${hops.join(", ")}; ${summary.singleHop} of one hop; ${summary.unanswerable} without an answer`,
  );
  output.say(output.style("dim", `${seconds.toFixed(1)} s. Next: winnow eval ${args[0] ?? ""} --policy find:lexical`));
  return 0;
};
