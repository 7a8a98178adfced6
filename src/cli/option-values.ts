import { type Command, InvalidArgumentError, Option } from "commander";

/** Parsers of option values: what they throw is reported as a usage error. */

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

export function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 86_400) return value;
  throw new InvalidArgumentError("It must be a number of seconds, at most 86400.");
}

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** An age such as `12h`, `30d` or `8w`, in milliseconds. */
export function age(text: string): number {
  const [, number = "", unit = ""] = /^(\d{1,6})([hdw])$/.exec(text) ?? [];
  const value = Number(number) * (UNIT_MS[unit] ?? 0);
  if (value > 0) return value;
  throw new InvalidArgumentError("It must be a number of hours, days or weeks, such as 12h, 30d or 8w.");
}

/** Where lists are cut for a comparison. */
export function cut(text: string): number | "shortest" {
  return text === "shortest" ? text : wholeNumber(1, 1_000)(text);
}

export function amount(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It must be a number of dollars above zero.");
}

/** Models take no other range. */
export function temperature(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 2) return value;
  throw new InvalidArgumentError("It must be a number from 0 to 2.");
}

export function share(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && value >= 0 && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number from 0 to ${max}.`);
  };
}

/** Gathers the values of a repeatable option. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** `-k`, which counts documents everywhere. */
export function withLength(command: Command): Command {
  return command.option("-k <number>", "documents at most, 1 to 30", wholeNumber(1, 30));
}

export function withFilters(command: Command): Command {
  return command
    .option("--where <filter>", 'only documents with this metadata, e.g. "modified>=2026-05" (repeatable)', collect)
    .option("--exclude <document>", "leave this document out (repeatable)", collect);
}

/** How the model of a policy is reached. A key is only ever named. */
export function withModelAccess(command: Command): Command {
  return command
    .option("--base-url <url>", "address of the model's server, e.g. http://127.0.0.1:8000/v1")
    .option("--api-key-env <name>", "environment variable that holds the server's key");
}

/** How the harness talks to the policy. */
export function withAgent(command: Command): Command {
  return command
    .option(
      "--profile <profile>",
      "auto (default: context-1-report for harmony: and for models named context-1, else chat), chat, context-1 or context-1-report",
    )
    .option("--prompt <file>", "prompt in place of the profile's; {query} in it stands for the question")
    .option("--context <tokens>", "size of the window in tokens", wholeNumber(2_048, 1_000_000))
    .addOption(new Option("--pruning <way>", "who prunes").choices(["none", "oldest", "self-edit"]))
    .option(
      "--prune-batch <share>",
      "how much more than it must a pruning frees, as a share of the window, 0 to 0.5 (default 0)",
      share(0.5),
    )
    .addOption(
      new Option(
        "--history <way>",
        "how earlier answers of harmony: stand in the prompt: as sampled (for training) or written anew",
      ).choices(["sampled", "rerendered"]),
    )
    .addOption(
      new Option(
        "--soft-notice <way>",
        "whether the notice over the soft limit stays in view, is shown to one decision, or is left out (default: the profile's, once)",
      ).choices(["kept", "once", "off"]),
    )
    .addOption(
      new Option(
        "--usage-line <form>",
        "tokens in use as a part of the whole window (14,203/32,768) or of the soft limit (14203/16384); default: the profile's",
      ).choices(["window", "soft"]),
    )
    .option(
      "--temperature <number>",
      "at which a model samples, 0 to 2 (default: its own; with rollouts 1)",
      temperature,
    );
}
