import { homedir } from "node:os";
import { join } from "node:path";

/** Where indexes of datasets and their evaluations are kept, each under the hash of its corpus. */
export function datasetsFolder(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "winnow", "datasets");
}
