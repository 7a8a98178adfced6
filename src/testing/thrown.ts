import { WinnowError } from "../core/errors.ts";

/** The error of ours that the work throws. Throws what else it throws, and when it throws nothing. */
export function thrown(work: () => unknown): WinnowError {
  try {
    work();
  } catch (error) {
    if (WinnowError.isInstance(error)) return error;
    throw error;
  }
  throw new Error("Nothing was thrown.");
}
