import { styleText } from "node:util";
import { ERROR_CODES, toWinnowError, WinnowError } from "../core/errors.ts";
import { stripControl } from "../core/text.ts";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan" | "strikethrough";

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
      process.stderr.write(`\r\u001b[2K${harmless(line).slice(0, (process.stderr.columns ?? 100) - 1)}`);
      redrawn = true;
    },
    style: (style, text) => (color ? styleText(style, text, { validateStream: false }) : text),
    fail(error, interrupted) {
      clear();
      return report(error, { json, verbose, color, interrupted });
    },
  };
}

/**
 * The last gate before a terminal: whatever a document, a record or a model wrote, nothing but the colours of `style`
 * gets through.
 */
function harmless(text: string): string {
  return text.replace(HARMFUL, "");
}
/** An escape that begins no colour, and every other control but tab and line end. */
const HARMFUL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the purpose
  /\u001b(?!\[\d{1,2}m)|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** JSON in which C1 controls and bidirectional overrides are escapes, as C0 controls always are. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    /[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
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
  const message = stripControl(known.message);
  const hint = known.hint === undefined ? undefined : stripControl(known.hint);
  if (options.json) {
    const body = { error: { code: known.code, message, ...(hint === undefined ? {} : { hint }) } };
    process.stdout.write(`${JSON.stringify(body)}\n`);
  } else {
    const label = options.color ? styleText("red", "error:", { validateStream: false }) : "error:";
    process.stderr.write(`${label} ${message}\n`);
    if (hint !== undefined) process.stderr.write(`hint: ${hint}\n`);
    else if (known.code === "internal")
      process.stderr.write("hint: This is a defect. Run again with --verbose and report what it prints.\n");
  }
  if (options.verbose) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
      process.stderr.write(`${cause.stack ?? cause.message}\n`);
  }
  return ERROR_CODES[known.code].exit;
}
