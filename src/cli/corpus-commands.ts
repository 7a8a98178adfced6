import { type Command, Option } from "commander";
import { withFilters, withLength, withModelAccess } from "./option-values.ts";
import type { AddCommand } from "./program.ts";

/** What makes vectors, and how to reach it. A key is only ever named. */
function withEmbedder(command: Command): Command {
  return command
    .option("--embedder <embedder>", "static, minilm, none, openai-compatible:MODEL or ollama:MODEL")
    .option("--base-url <url>", "address of the embedder's service")
    .option("--api-key-env <name>", "environment variable that holds the service's key");
}

function storeOption(description: string): Option {
  return new Option("--store <store>", description).choices(["lance", "sqlite"]);
}

function addCopyCommand(add: AddCommand): void {
  add(
    "copy <from> <to>",
    "Copy an index with its vectors into another store, or publish it on an object store. Run it again to go on with what was interrupted.",
    [
      "winnow copy . ../backup --store sqlite",
      "winnow copy . chroma:http://127.0.0.1:8000/notes",
      "winnow copy chroma:http://127.0.0.1:8000/notes restored",
      "winnow copy . s3://team/handbook          # for others: winnow find … --corpus s3://team/handbook",
    ],
    () => import("./commands/copy.ts"),
  )
    .addOption(storeOption("what keeps the copy in a folder; default lance, sqlite where it does not run"))
    .option("--tenant <name>", "tenant on the Chroma server")
    .option("--database <name>", "database on the Chroma server")
    .option("--api-key-env <name>", "environment variable that holds the Chroma server's key")
    .option("--replace", "publish over what another index has published there");
}

/** Commands that make, look after and query an index. */
export function addCorpusCommands(add: AddCommand): void {
  const index = add(
    "index [path...]",
    "Index files and folders, or refresh what is indexed.",
    [
      "winnow index docs notes.md",
      "winnow index                               # refresh, and build what winnow.json names",
      "winnow index --watch                       # and keep it fresh until interrupted",
      "winnow index . --corpus notes --json",
      "winnow index --source changelog            # versions, entries and commits, as a corpus of their own",
      "winnow index --source claude-sessions      # this folder's transcripts, secrets replaced",
    ],
    () => import("./commands/index.ts"),
  );
  withEmbedder(index)
    .option("--source <type>", "kind of source: files (default), changelog, claude-sessions or tool-traces")
    .addOption(storeOption("what keeps a new index; default lance, sqlite where it does not run"))
    .option("--watch", "stay, and index what changes; with --json one object a refresh, a line each")
    .option("--rebuild", "build the index anew from the files");
  add(
    "forget <path...>",
    "Take files or folders out of the index. The files themselves stay.",
    ["winnow forget docs/drafts"],
    () => import("./commands/forget.ts"),
  );
  withEmbedder(
    add(
      "reembed",
      "Make the vectors of the index anew from what it stores, or with another embedder.",
      ["winnow reembed", "winnow reembed --embedder ollama:nomic-embed-text", "winnow reembed --embedder none"],
      () => import("./commands/reembed.ts"),
    ),
  );
  addCopyCommand(add);
  add(
    "status",
    "Show what is indexed, what was skipped and why.",
    ["winnow status", "winnow status --skipped", "winnow status --json"],
    () => import("./commands/status.ts"),
  ).option("--skipped", "list every skipped item with its reason");
  const doctor = add(
    "doctor",
    "Check this installation and print every setting with its origin.",
    [
      "winnow doctor",
      "winnow doctor --json",
      "winnow doctor --verify",
      "winnow doctor --policy ollama:qwen3:8b",
      "winnow doctor --download-model",
    ],
    () => import("./commands/doctor.ts"),
  );
  doctor.option("--verify", "read all that indexes and runs keep, and compare it with what was written");
  withModelAccess(doctor.option("--policy <policy>", "ask the model of this policy one short question")).option(
    "--download-model",
    "first fetch the model that made the vectors of Chroma's default, 79 MiB",
  );
  const find = add(
    "find <text...>",
    "Query the index once, without an agent.",
    [
      'winnow find "connection pool" -k 5',
      'winnow find "TODO\\(\\w+\\)" --mode grep',
      'winnow find retries --where "path contains guides" --explain',
    ],
    () => import("./commands/find.ts"),
  );
  withFilters(withLength(find))
    .addOption(
      new Option("--mode <mode>", "how to match").choices(["hybrid", "lexical", "dense", "grep"]).default("hybrid"),
    )
    .option("--explain", "show ranks and scores")
    .option("--rerank <reranker>", "judge the best results again: cohere:MODEL or yes-no:MODEL")
    .option("--rerank-url <url>", "address of the reranker's service")
    .option("--rerank-key-env <name>", "environment variable that holds the reranker's key");
  add(
    "read <document> [range]",
    "Print a document, or some of its lines.",
    ["winnow read docs/setup.md", "winnow read docs/setup.md 10-40", "winnow read docs/setup.md 25"],
    () => import("./commands/read.ts"),
  );
}
