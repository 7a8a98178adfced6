import { InvalidArgumentError } from "commander";

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

/** Where lists are cut for a comparison. */
export function cut(text: string): number | "shortest" {
  return text === "shortest" ? text : wholeNumber(1, 1_000)(text);
}
