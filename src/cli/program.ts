import { Command } from "commander";
import { jsonText } from "../core/json-text.ts";
import { VERSION } from "../core/version.ts";
import { addAttachCommand } from "./attach-command.ts";
import { addCorpusCommands } from "./corpus-commands.ts";
import { addEvaluationCommands } from "./evaluation-commands.ts";
import { addExportCommand } from "./export-command.ts";
import { collect } from "./option-values.ts";
import { createOutput, type Output, type OutputOptions } from "./output.ts";
import { addRenderCommand } from "./render-command.ts";
import { addRunCommands } from "./run-commands.ts";
import { addServingCommands } from "./serving-commands.ts";
import { addTaskCommands } from "./task-commands.ts";
import { harmless, inLine } from "./terminal-text.ts";

export interface ProgramOptions {
  readonly signal: AbortSignal;
  /** Told of the output as soon as the options are known, so that errors are reported in the form asked for. */
  onOutput(output: Output): void;
  /** Told how long a command may take to end after a signal. */
  onGrace(ms: number): void;
}

/** What every command is given besides its own arguments and options. */
export interface CommandScope {
  readonly output: Output;
  readonly signal: AbortSignal;
  /** Values of `--corpus`. */
  readonly corpora: readonly string[];
  /** Asks for more time to end after a signal than commands have otherwise. */
  allowGrace(ms: number): void;
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

/** The command line, without any of the code behind it: `--help` loads this and the parser only. */
export function buildProgram({ signal, onOutput, onGrace }: ProgramOptions): Command {
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
  const json = process.argv.includes("--json");
  // Errors of usage name what was given, which the shell may have made of the names of files.
  program.configureOutput({
    writeErr: json ? writeUsageError : (text) => void process.stderr.write(harmless(text)),
    outputError: (text, write) => write(json ? text : `${inLine(text.trimEnd())}\n`),
  });

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
        process.exitCode = await run(args, options, {
          output,
          signal,
          corpora: options.corpus ?? [],
          allowGrace: onGrace,
        });
      });
    return command;
  };
  addCorpusCommands(add);
  addAttachCommand(add);
  addRunCommands(add);
  addTaskCommands(add);
  addServingCommands(add);
  addRenderCommand(add);
  addExportCommand(add);
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
  process.stdout.write(`${jsonText(body)}\n`);
}
