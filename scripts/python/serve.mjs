import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

const READY_POLL_MS = 100;

/**
 * Runs a server in the foreground until it ends or is interrupted, and prints its address on stdout once it answers.
 * Throws an error whose message says what to do.
 * @param {{ label: string, command: string, args: readonly string[], address: string, heartbeat: string, note: string }} server
 *   `heartbeat`: path that answers when it is ready; `note`: what to say then
 */
export async function serveUntilEnd({ label, command, args, address, heartbeat, note }) {
  const answers = () =>
    fetch(`${address}${heartbeat}`, { signal: AbortSignal.timeout(1_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  if (await answers()) throw new Error(`There is a server at ${address} already.`);
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
  while (running && !(await answers())) await delay(READY_POLL_MS);
  if (running) {
    console.error(`${label}: ${note}`);
    console.log(address);
  }
  const code = await over;
  if (code !== 0) throw new Error(`The server ended with code ${code}. Is its port free? Another: --port N`);
}
