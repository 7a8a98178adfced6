import { plural } from "../../core/text.ts";
import { type CopySummary, copyCorpus } from "../../features/copy-corpus.ts";
import { STORE_KINDS } from "../../features/index-corpus.ts";
import { isObjectAddress, publishCorpus } from "../../features/publish-corpus.ts";
import type { CommandRun, CommandScope } from "../program.ts";
import { commandContext, textOption } from "../scope.ts";
import { shownPlace } from "../shown-place.ts";

type Options = Readonly<Record<string, unknown>>;

export const run: CommandRun = async ([from = "", to = ""], options, scope) => {
  if (isObjectAddress(to)) return publish(from, to, options, scope);
  return copy(from, to, options, scope);
};

async function copy(from: string, to: string, options: Options, scope: CommandScope): Promise<number> {
  const { corpusScope } = await commandContext(scope);
  const { output, signal } = scope;
  const store = STORE_KINDS.find((kind) => kind === textOption(options, "store"));
  let isBegun = false;
  const summary = await copyCorpus(
    {
      ...{ from, to, signal, scope: corpusScope, environment: process.env },
      ...(store && { store }),
      access: {
        tenant: textOption(options, "tenant"),
        database: textOption(options, "database"),
        apiKeyEnv: textOption(options, "apiKeyEnv"),
      },
    },
    ({ phase, chunks, chunksTotal }) => {
      isBegun = true;
      const count = `${chunks.toLocaleString("en-US")} of ${plural(chunksTotal, "chunk")}`;
      output.progress(phase === "copying" ? `copying: ${count}` : "making the copy whole");
    },
  ).catch((error: unknown) => {
    if (isBegun) output.say("The copy is not whole yet. The same command goes on with it.");
    throw error;
  });
  if (output.json) output.printJson(summary);
  else printCopy(summary, scope);
  return 0;
}

function printCopy({ chunks, copied, seconds, notices, to }: CopySummary, { output }: CommandScope): void {
  const before = copied === chunks ? "" : `, ${(chunks - copied).toLocaleString("en-US")} of them before`;
  output.print(`${plural(chunks, "chunk")} copied${before}, ${seconds.toFixed(1)} s`);
  for (const notice of notices) output.say(output.style("yellow", `note: ${notice}`));
  output.say(output.style("dim", `copy: ${shownPlace(to)}`));
}

async function publish(from: string, to: string, options: Options, scope: CommandScope): Promise<number> {
  const { corpusScope } = await commandContext(scope);
  const { output, signal } = scope;
  const replace = options["replace"] === true;
  const summary = await publishCorpus(
    { from, to, replace, signal, scope: corpusScope, environment: process.env },
    ({ files, filesTotal, bytes, bytesTotal }) =>
      output.progress(
        `publishing: ${files} of ${plural(filesTotal, "file")}, ${megabytes(bytes)} of ${megabytes(bytesTotal)}`,
      ),
  );
  if (output.json) {
    output.printJson(summary);
    return 0;
  }
  const { generation, documents, files, bytes, uploaded, uploadedBytes, removed, seconds } = summary;
  const sent = uploaded === 0 ? "nothing new" : `${plural(uploaded, "file")} sent, ${megabytes(uploadedBytes)}`;
  const gone = removed === 0 ? "" : `, ${plural(removed, "old object")} deleted`;
  output.print(`${plural(documents, "document")} published: ${sent}${gone}, ${seconds.toFixed(1)} s`);
  output.say(
    output.style("dim", `${summary.to}: generation ${generation}, ${plural(files, "file")}, ${megabytes(bytes)}`),
  );
  return 0;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
