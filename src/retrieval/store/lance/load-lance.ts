import { lanceError } from "./lance-errors.ts";

type Lance = typeof import("@lancedb/lancedb");

let loading: Promise<Lance> | undefined;

/**
 * Loads the native library at the first use. Its own warnings ("will be created") would go to the user's terminal; only
 * its errors may, unless the user asked for more.
 */
export function loadLance(): Promise<Lance> {
  process.env["LANCEDB_LOG"] ??= "error";
  loading ??= import("@lancedb/lancedb");
  return loading;
}

/** Whether the native library loads on this platform. */
export async function hasLance(): Promise<boolean> {
  try {
    await loadLance();
    return true;
  } catch (error) {
    if (lanceError(error, "loading").code === "dependency_missing") return false;
    throw error;
  }
}
