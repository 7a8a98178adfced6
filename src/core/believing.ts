import { WinnowError } from "./errors.ts";

/**
 * Runs work that believes a record's shape. A record can come from anywhere (`winnow show FILE`), and what its frame
 * does not rule out shows here: anything that is thrown but our own errors means damage.
 */
export function believing<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw damage(name, error);
  }
}

/** The same for work that takes its time. */
export async function believingAsync<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw damage(name, error);
  }
}

function damage(name: string, error: unknown): unknown {
  if (WinnowError.isInstance(error)) return error;
  return new WinnowError("record_corrupt", `${name} is damaged: a field has the wrong type.`, {
    hint: "The record cannot be shown or replayed; the corpus itself is not affected.",
    cause: error,
  });
}
