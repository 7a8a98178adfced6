import { WinnowError } from "../../core/errors.ts";
import { shellCommand } from "../../core/shell-command.ts";
import { oneLine, stripControl } from "../../core/text.ts";

const PLACE_UNITS_MAX = 1_000;

export interface AskedPlace {
  /** Of the corpus. */
  readonly name: string;
  readonly place: string;
  /** Where it leads, where it is a link or lies behind one. */
  readonly leadsTo: string;
  /** What lies there, where that is why leave is needed; default: that it lies outside of the folder. */
  readonly holds?: string;
  /** Words of the command that gives the leave; or how it is given otherwise. */
  readonly agree: readonly string[] | string;
}

/**
 * Why an entry of a project's file is left out. Everything in it comes from a folder that somebody else may have made, and
 * whoever reads the hint may be an agent that follows hints: it has to warn.
 */
export function placeRefused({ name, place, leadsTo, holds, agree }: AskedPlace): WinnowError {
  const led = place === leadsTo ? place : `${place} (a link to ${leadsTo})`;
  const shown = oneLine(stripControl(led), PLACE_UNITS_MAX);
  const what = holds === undefined ? `${shown}, which is outside of it,` : `${holds}, from ${shown},`;
  const how = typeof agree === "string" ? agree : shellCommand(agree.map(stripControl));
  return new WinnowError(
    "invalid_config",
    `The file of this folder asks to read ${what} for the corpus ${name}; nobody has agreed to that here, so ${name} is left out.`,
    { hint: `Agree only if you know why it asks, and ask first whom you work for: ${how}` },
  );
}
