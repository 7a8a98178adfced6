import { Command, Option } from "commander";
import { VERSION } from "../core/version.ts";
import { addEvaluationCommands } from "./evaluation-commands.ts";
import { seconds, wholeNumber } from "./option-values.ts";
import { createOutput, type Output, type OutputOptions } from "./output.ts";

export interface ProgramOptions {
  readonly signal: AbortSignal;
  /** Told of the output as soon as the options are known, so that errors are reported in the form asked for. */
  onOutput(output: Output): void;
}

/** What every command is given besides its own arguments and options. */
export interface CommandScope {
  readonly output: Output;
  readonly signal: AbortSignal;
  /** Values of `--corpus`. */
  readonly corpora: readonly string[];
}

type Options = Readonly<Record<string, unknown>>;
/** Runs a command and returns its exit code. */
export type CommandRun = (args: readonly string[], options: Options, scope: CommandScope) => Promise<number>;

/** Adds a command with the options that all have; its code is loaded when it runs. */
export type AddCommand = (
  usage: string,
  description: string,
  examples: readonly string[],
  load: () => Promise<{ run: CommandRun }>,
) => Command;

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];

/** The command line, without any of the code behind it: `--help` loads this and the parser only. */
export function buildProgram({ signal, onOutput }: ProgramOptions): Command {
  const program = new Command("winnow")
    .description(
      "Finds the documents that answer a question, in several hops, within a small context that it edits itself.",
    )
    .version(VERSION, "-V, --version")
    .helpCommand(false)
    .showHelpAfterError("Run with --help for usage.")
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      "after",
      `\nExamples:\n  winnow index docs/\n  winnow find "rate limit" -k 5\n  winnow search "Which services did we move off the old queue, and why?"\n  winnow show\n`,
    );
  if (process.argv.includes("--json")) program.configureOutput({ writeErr: (text) => writeUsageError(text) });

  const add: AddCommand = (usage, description, examples, load) => {
    const command = program
      .command(usage)
      .description(description)
      .option("--json", "print one JSON object on stdout")
      .option("-q, --quiet", "print nothing but the result")
      .option("-v, --verbose", "print details, and stack traces of errors")
      .option("--no-color", "print without colour")
      .option("--corpus <place>", "index to use: a name from winnow.json or a folder (repeatable)", collect)
      .addHelpText("after", `\nExamples:\n${examples.map((example) => `  ${example}`).join("\n")}\n`)
      .action(async (...parts: unknown[]) => {
        const options = parts.at(-2) as Options & OutputOptions & { corpus?: readonly string[] };
        const args = parts
          .slice(0, -2)
          .flat()
          .filter((part): part is string => typeof part === "string");
        const output = createOutput(options);
        onOutput(output);
        const { run } = await load();
        process.exitCode = await run(args, options, { output, signal, corpora: options.corpus ?? [] });
      });
    return command;
  };
  const k = (command: Command): Command =>
    command.option("-k <number>", "documents at most, 1 to 30", wholeNumber(1, 30));
  const filters = (command: Command): Command =>
    command
      .option("--where <filter>", 'only documents with this metadata, e.g. "modified>=2026-05" (repeatable)', collect)
      .option("--exclude <document>", "leave this document out (repeatable)", collect);

  add(
    "index [path...]",
    "Index files and folders, or refresh what is indexed.",
    ["winnow index docs notes.md", "winnow index            # refresh", "winnow index . --corpus notes --json"],
    () => import("./commands/index.ts"),
  )
    .option("--source <type>", "kind of source: files", "files")
    .option("--rebuild", "build the index anew from the files");
  add(
    "forget <path...>",
    "Take files or folders out of the index. The files themselves stay.",
    ["winnow forget docs/drafts"],
    () => import("./commands/forget.ts"),
  );
  add(
    "status",
    "Show what is indexed, what was skipped and why.",
    ["winnow status", "winnow status --skipped", "winnow status --json"],
    () => import("./commands/status.ts"),
  ).option("--skipped", "list every skipped item with its reason");
  add(
    "doctor",
    "Check this installation and print every setting with its origin.",
    ["winnow doctor", "winnow doctor --json"],
    () => import("./commands/doctor.ts"),
  );
  filters(
    k(
      add(
        "find <text...>",
        "Query the index once, without an agent.",
        [
          'winnow find "connection pool" -k 5',
          'winnow find "TODO\\(\\w+\\)" --mode grep',
          'winnow find retries --where "path contains guides" --explain',
        ],
        () => import("./commands/find.ts"),
      ),
    ),
  )
    .addOption(
      new Option("--mode <mode>", "how to match").choices(["hybrid", "lexical", "dense", "grep"]).default("hybrid"),
    )
    .option("--explain", "show ranks and scores");
  add(
    "read <document> [range]",
    "Print a document, or some of its lines.",
    ["winnow read docs/setup.md", "winnow read docs/setup.md 10-40", "winnow read docs/setup.md 25"],
    () => import("./commands/read.ts"),
  );
  filters(
    k(
      add(
        "search <question...>",
        "Run the agent on a question and print the documents that answer it.",
        [
          'winnow search "What did we decide about retries?"',
          'winnow search "Who owns billing?" --json',
          'winnow search "…" --context 8192 --pruning oldest',
        ],
        () => import("./commands/search.ts"),
      ),
    ),
  )
    .option("--policy <policy>", "rules, scripted:FILE or replay:FILE")
    .option("--profile <profile>", "chat, context-1 or context-1-report")
    .option("--context <tokens>", "size of the window in tokens", wholeNumber(2_048, 1_000_000))
    .addOption(new Option("--pruning <way>", "who prunes").choices(["none", "oldest", "self-edit"]))
    .option("--since <date>", "only documents modified since, e.g. 2026-05")
    .option("--known <document>", "a document that the caller has already (repeatable)", collect)
    .option("--turns <number>", "turns at most", wholeNumber(1, 1_000))
    .option("--timeout <seconds>", "time limit of the run", seconds)
    .option("--max-cost <dollars>", "cost limit, where the policy reports a cost", Number)
    .option("--events", "print every event as a line of JSON instead of the result")
    .option("--no-record", "keep no record of the run");
  add(
    "runs",
    "List the recorded runs, newest first.",
    ["winnow runs", "winnow runs -n 50 --json"],
    () => import("./commands/runs.ts"),
  ).option("-n <number>", "runs to list", wholeNumber(1, 1_000), 20);
  add(
    "show [run]",
    "Show a recorded run turn by turn; the newest one when no id is given.",
    ["winnow show", "winnow show 20260326T1", "winnow show --turn 3"],
    () => import("./commands/show.ts"),
  ).option("--turn <number>", "print the context exactly as the policy saw it at this turn", wholeNumber(1, 1_000));
  add(
    "replay [run]",
    "Render a record again and compare every prompt byte by byte; with --live, run it again.",
    ["winnow replay", "winnow replay 20260326T1 --live"],
    () => import("./commands/replay.ts"),
  ).option("--live", "repeat the decisions against the corpus as it is now");
  k(
    add(
      "eval <dataset>",
      "Measure a policy on labelled questions (a folder in the BEIR layout).",
      ["winnow eval data/my-set --policy rules", "winnow eval data/my-set --policy find:lexical -k 30 --json"],
      () => import("./commands/eval.ts"),
    ),
  )
    .option("--policy <policy>", "rules, find:lexical, find:hybrid, find:dense, scripted:FILE")
    .option("--profile <profile>", "chat, context-1 or context-1-report")
    .option("--context <tokens>", "size of the window in tokens", wholeNumber(2_048, 1_000_000))
    .addOption(new Option("--pruning <way>", "who prunes").choices(["none", "oldest", "self-edit"]))
    .option("--concurrency <number>", "questions at a time", wholeNumber(1, 64), 2)
    .option("--limit <number>", "first questions only", wholeNumber(1, 1_000_000))
    .option("--seed <number>", "order of the questions", wholeNumber(0, 2 ** 31), 0)
    .option("--resume <evaluation>", "go on with an evaluation that was cut short")
    .option("--timeout <seconds>", "time limit of one run", seconds);
  addEvaluationCommands(add);
  return program;
}

/** Usage errors in the form that `--json` promises. */
function writeUsageError(text: string): void {
  const [first = "", ...rest] = text.trim().split("\n");
  if (!first.startsWith("error:")) return;
  const hint = rest.join(" ").trim();
  const body = {
    error: { code: "invalid_argument", message: first.slice("error:".length).trim(), ...(hint === "" ? {} : { hint }) },
  };
  process.stdout.write(`${JSON.stringify(body)}\n`);
}
