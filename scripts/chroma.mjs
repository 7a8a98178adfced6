// `npm run chroma:up [-- --path DIR] [--port N]`: a local Chroma server until it is interrupted; its address on stdout.
// Uses the command that WINNOW_CHROMA names, that of node_modules/.cache/winnow/chroma-venv, or the first on the PATH;
// where there is none it makes that virtual environment first. `--install` only makes it.
import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findChromaCommand } from "./chroma/find.mjs";
import { installChroma } from "./chroma/install.mjs";
import { serveUntilEnd } from "./python/serve.mjs";

const HOST = "127.0.0.1";
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param {string} command @param {string} folder @param {string} port */
async function serve(command, folder, port) {
  mkdirSync(folder, { recursive: true });
  await serveUntilEnd({
    label: "chroma",
    command,
    args: ["run", "--path", folder, "--host", HOST, "--port", port],
    address: `http://${HOST}:${port}`,
    heartbeat: "/api/v2/heartbeat",
    note: `serving ${folder}; Ctrl-C ends it. The server writes to this folder.`,
  });
}

try {
  const { values } = parseArgs({
    options: { path: { type: "string" }, port: { type: "string", default: "8000" }, install: { type: "boolean" } },
  });
  const found = values.install ? undefined : findChromaCommand(root, process.env);
  if (found === undefined) console.error("chroma: installing Chroma's Python package; this takes a minute or two…");
  const command = found ?? installChroma(root);
  if (values.install) console.error(`chroma: ${command}`);
  else {
    const folder = values.path ?? join(root, "node_modules", ".cache", "winnow", "chroma-data");
    await serve(command, resolve(folder), values.port);
  }
} catch (error) {
  console.error(`chroma: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
