// `npm run chroma:up [-- --path DIR] [--port N]`: a local Chroma server until it is interrupted; its address on stdout.
// Uses the command that WINNOW_CHROMA names, that of node_modules/.cache/winnow/chroma-venv, or the first on the PATH;
// where there is none it makes that virtual environment first. `--install` only makes it.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findChromaCommand } from "./chroma/find.mjs";
import { installChroma } from "./chroma/install.mjs";

const HOST = "127.0.0.1";
const READY_POLL_MS = 100;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param {string} address */
async function answers(address) {
  const url = `${address}/api/v2/heartbeat`;
  return fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** @param {string} command @param {string} folder @param {string} port */
async function serve(command, folder, port) {
  const address = `http://${HOST}:${port}`;
  if (await answers(address)) throw new Error(`There is a Chroma server at ${address} already.`);
  mkdirSync(folder, { recursive: true });
  const args = ["run", "--path", folder, "--host", HOST, "--port", port];
  const server = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  /** @type {Promise<number>} */
  const ended = new Promise((done, fail) => {
    server.on("error", (error) => fail(new Error(`${command} cannot be run: ${error.message}`)));
    server.on("close", (code) => done(code ?? 0));
  });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) process.on(signal, () => server.kill(signal));
  let running = true;
  const over = ended.finally(() => {
    running = false;
  });
  over.catch(() => undefined);
  while (running && !(await answers(address))) await delay(READY_POLL_MS);
  if (running) {
    console.error(`chroma: serving ${folder}; Ctrl-C ends it. The server writes to this folder.`);
    console.log(address);
  }
  const code = await over;
  if (code !== 0) throw new Error(`The server ended with code ${code}. Is port ${port} free? Another: --port N`);
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
