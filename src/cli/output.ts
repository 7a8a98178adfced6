import { ERROR_CODES, toWinnowError, WinnowError } from "../core/errors.ts";
import { jsonText } from "../core/json-text.ts";
import { stripControl } from "../core/text.ts";
import { coloured, harmless, inLine, type Style } from "./terminal-text.ts";

export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** False for `--no-color`. */
  readonly color?: boolean;
}

/** Everything a command prints: data on stdout, talk on stderr, and one way to report a failure. */
export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** True when stderr is a terminal that can redraw a line. */
  readonly live: boolean;
  /** Columns of the terminal, 100 where there is none. */
  readonly columns: number;
  /** A line of data. Text from documents must have passed `stripControl`. */
  print(line: string): void;
  /** The one object of `--json`. */
  printJson(value: unknown): void;
  /** One of many objects, each on a line of its own. Parsed, it is `value` to the character, unlike what `print` lets through. */
  printJsonLine(value: unknown): void;
  /** A line of talk; silent under `--quiet`. */
  say(line: string): void;
  /** Replaces the last such line where the terminal can; silent elsewhere. */
  progress(line: string): void;
  style(style: Style, text: string): string;
  /** Reports an error and returns the exit code. */
  fail(error: unknown, interrupted: boolean): number;
}

export function createOutput(options: OutputOptions): Output {
  const json = options.json === true;
  const quiet = options.quiet === true;
  const verbose = options.verbose === true;
  const live = process.stderr.isTTY === true && !quiet && process.env["TERM"] !== "dumb";
  const color = wantsColor(options.color !== false);
  let redrawn = false;
  const clear = (): void => {
    if (redrawn) process.stderr.write("\r\u001b[2K");
    redrawn = false;
  };
  const write = (stream: NodeJS.WriteStream, text: string): void => {
    stream.write(harmless(text));
  };
  return {
    json,
    quiet,
    verbose,
    live,
    columns: process.stderr.columns ?? process.stdout.columns ?? 100,
    print(line) {
      clear();
      write(process.stdout, `${line}\n`);
    },
    printJson(value) {
      clear();
      process.stdout.write(`${jsonText(value, process.stdout.isTTY ? 2 : undefined)}\n`);
    },
    printJsonLine(value) {
      clear();
      process.stdout.write(`${jsonText(value)}\n`);
    },
    say(line) {
      if (quiet) return;
      clear();
      write(process.stderr, `${line}\n`);
    },
    progress(line) {
      if (!live) return;
      process.stderr.write(`\r\u001b[2K${harmless(inLine(line)).slice(0, (process.stderr.columns ?? 100) - 1)}`);
      redrawn = true;
    },
    style: (style, text) => (color ? coloured(style, text) : text),
    fail(error, interrupted) {
      clear();
      return report(error, { json, verbose, color, interrupted });
    },
  };
}

/** https://no-color.org and FORCE_COLOR; both streams must be terminals, since they share one screen. */
function wantsColor(allowed: boolean): boolean {
  if (!allowed || (process.env["NO_COLOR"] ?? "") !== "") return false;
  if ((process.env["FORCE_COLOR"] ?? "") !== "") return process.env["FORCE_COLOR"] !== "0";
  return process.stdout.isTTY === true && process.stderr.isTTY === true && process.env["TERM"] !== "dumb";
}

interface ReportOptions {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
  readonly interrupted: boolean;
}

function report(error: unknown, options: ReportOptions): number {
  const known = options.interrupted
    ? new WinnowError("cancelled", "Interrupted.", {
        hint: "What was finished is kept; run the same command again to go on.",
      })
    : toWinnowError(error);
  const tell = (line: string): void => void process.stderr.write(`${harmless(line)}\n`);
  if (options.json) {
    const message = stripControl(known.message);
    const hint = known.hint === undefined ? {} : { hint: stripControl(known.hint) };
    process.stdout.write(`${jsonText({ error: { code: known.code, message, ...hint } })}\n`);
  } else {
    const label = options.color ? coloured("red", "error:") : "error:";
    // Errors name files, and a file may be named like a line of ours.
    tell(`${label} ${inLine(known.message)}`);
    if (known.hint !== undefined) tell(`hint: ${inLine(known.hint)}`);
    else if (known.code === "internal") {
      tell("hint: This is a defect. Run again with --verbose and report what it prints.");
    }
  }
  if (options.verbose) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      // Set in, since the message of an error may hold lines of a name.
      tell((cause.stack ?? cause.message).replaceAll("\n", "\n    "));
    }
  }
  return ERROR_CODES[known.code].exit;
}
