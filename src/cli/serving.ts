import { WinnowError } from "../core/errors.ts";

/** What commands that answer other programs share. */

/** The token that a variable holds. Throws `invalid_argument` where it holds none. */
export function tokenOf(variable: string | undefined): string | undefined {
  if (variable === undefined) return undefined;
  const token = process.env[variable];
  if (token !== undefined && token !== "") return token;
  throw new WinnowError("invalid_argument", `The variable ${variable} is not set.`, {
    hint: "Set it to a long random text, and give the same to the clients.",
  });
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
