import { collect, wholeNumber, withModelAccess } from "./option-values.ts";
import type { AddCommand } from "./program.ts";

/** Commands that answer other programs. */
export function addServingCommands(add: AddCommand): void {
  const mcp = add(
    "mcp [action] [client]",
    "Serve coding agents over the Model Context Protocol, or add the entry for one: install CLIENT.",
    [
      "winnow mcp                          # on standard input and output, as clients start it",
      "winnow mcp --http --port 8765       # Streamable HTTP on this machine",
      "winnow mcp install claude-code      # shows the entry, and writes it after asking",
      "winnow mcp install claude-code --skill --yes",
      "winnow mcp install codex --print",
    ],
    () => import("./commands/mcp.ts"),
  );
  withModelAccess(mcp)
    .option("--policy <policy>", "what decides in search and brief; as in winnow search")
    .option("--http", "serve HTTP instead of standard input and output")
    .option("--host <address>", "address to listen on; any but this machine's needs --token-env", "127.0.0.1")
    .option("--port <number>", "port to listen on, 0 for any", wholeNumber(0, 65_535), 8_765)
    .option("--token-env <name>", "environment variable with the token that callers must send")
    .option("--user", "install for all projects of this user instead of this one")
    .option("--skill", "install: the skill as well, which teaches the agent when to ask and how to cite")
    .option("--print", "install: only print what would be written")
    .option("-y, --yes", "install: write without asking");
  addServeCommand(add);
}

function addServeCommand(add: AddCommand): void {
  const serve = add(
    "serve",
    "Serve programs over HTTP (search, find, read, brief, recent, runs; described at /openapi.json), and browsers a search page.",
    [
      "winnow serve                                        # http://127.0.0.1:8766",
      'curl -s http://127.0.0.1:8766/v1/search -H "Content-Type: application/json" -d \'{"query":"What did we decide about retries?"}\'',
      "winnow serve --new-token laptop --corpus docs       # prints a token that may ask docs, once",
      "winnow serve --host 0.0.0.0 --max-runs 8",
    ],
    () => import("./commands/serve.ts"),
  );
  withModelAccess(serve)
    .option("--policy <policy>", "what decides in search and brief; as in winnow search")
    .option("--allow-policy <policy>", "a policy that callers may name besides (repeatable)", collect)
    .option("--host <address>", "address to listen on; any but this machine's needs tokens", "127.0.0.1")
    .option("--port <number>", "port to listen on, 0 for any", wholeNumber(0, 65_535), 8_766)
    .option("--token-env <name>", "environment variable with a token that may ask every corpus")
    .option("--tokens <file>", "file with the hashes of tokens (default: tokens.json in the folder of the first index)")
    .option("--new-token <name>", "make a token for the corpora of --corpus, or for all; print it and end")
    .option("--allow-host <name>", "name besides this machine's that requests may be sent to (repeatable)", collect)
    .option("--max-runs <number>", "runs of the agent at once", wholeNumber(1, 1_000), 4)
    .option("--max-waiting <number>", "runs that may wait for their turn; more are refused", wholeNumber(0, 10_000), 64)
    .option("--max-rollouts <number>", "rollouts that a caller may ask for", wholeNumber(1, 16), 1)
    .option("--grace <seconds>", "time that runs have to end when the server is stopped", wholeNumber(0, 3_600), 10);
}
