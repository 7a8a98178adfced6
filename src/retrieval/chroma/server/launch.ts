import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { deadline } from "../../../core/deadline.ts";
import { toWinnowError, WinnowError } from "../../../core/errors.ts";
import { cleanMessage } from "../../../core/service-message.ts";
import { INSTALL_HINT } from "./find-executable.ts";

const HOST = "127.0.0.1";
/** Time until a server has to answer; the first start after an update compiles and migrates. */
const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 50;
/** Time that a server has to end by itself before it is ended. */
const END_TIMEOUT_MS = 5_000;
const PORT_TRIES_MAX = 3;
const SAID_UNITS = 2_000;
/** Says that a native part was built for a newer C library than the system's. */
const NEWER_LIBC = /GLIBC(?:XX)?_[\d.]+['’]? not found|chromadb-js-bindings/;
const PORT_TAKEN = /address (?:already )?in use|not available/i;

/**
 * Runs the server beside a reader of our standard input: however our process ends, the pipe closes, and the server is
 * ended with it, gently first. An interrupt of the terminal reaches neither.
 */
const GUARD = `
exec 3<&0
"$@" </dev/null 3<&- & server=$!
(cat <&3 >/dev/null; kill -TERM $server; sleep ${END_TIMEOUT_MS / 1_000}; kill -KILL $server) 2>/dev/null & guard=$!
exec 3<&-
wait $server
kill $guard 2>/dev/null`;

export interface LaunchOptions {
  readonly executable: string;
  /** Data directory; the server writes to it. */
  readonly folder: string;
  /** File that takes what the server prints. */
  readonly logFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  readonly readyTimeoutMs?: number;
}

export interface LocalServer {
  /** `http://127.0.0.1:PORT` */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Starts a Chroma server on a data directory, at a free port of the loopback address, and waits until it answers. It
 * ends with `close` or with our process. Rejects with `dependency_missing` (does not run on this system),
 * `store_failed` (ends by itself), `timeout` or `cancelled`.
 */
export async function launchServer(options: LaunchOptions): Promise<LocalServer> {
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const child = start(options, port);
    const server: LocalServer = { address: `http://${HOST}:${port}`, close: () => end(child) };
    try {
      await ready(server.address, child, options);
      return server;
    } catch (error) {
      await server.close();
      const said = await readFile(options.logFile, "utf8").catch(() => "");
      // Somebody took the port between our asking for a free one and the server's using it.
      if (tries < PORT_TRIES_MAX && PORT_TAKEN.test(said) && !isEnded(error)) continue;
      throw error;
    }
  }
}

const isEnded = (error: unknown): boolean => WinnowError.isInstance(error) && error.code === "cancelled";

function start({ executable, folder, logFile, environment }: LaunchOptions, port: number): ChildProcess {
  const command = [executable, "run", "--path", folder, "--host", HOST, "--port", String(port)];
  const log = openSync(logFile, "w", 0o600);
  const guarded = process.platform !== "win32";
  const [file = executable, ...args] = guarded ? ["/bin/sh", "-c", GUARD, "sh", ...command] : command;
  try {
    const child = spawn(file, args, {
      stdio: ["pipe", log, log],
      env: { ...environment, ANONYMIZED_TELEMETRY: "False" },
      // A group of its own, so that it can be ended whole and an interrupt of the terminal does not reach it.
      detached: guarded,
      windowsHide: true,
    });
    // What fails here shows in `ready`; without a listener it would end the process.
    child.on("error", () => undefined);
    child.stdin?.on("error", () => undefined);
    child.unref();
    if (child.stdin !== null && "unref" in child.stdin && typeof child.stdin.unref === "function") child.stdin.unref();
    if (!guarded) process.once("exit", () => child.kill("SIGKILL"));
    return child;
  } finally {
    closeSync(log);
  }
}

async function ready(address: string, child: ChildProcess, options: LaunchOptions): Promise<void> {
  const { signal, readyTimeoutMs = READY_TIMEOUT_MS, logFile, executable } = options;
  const untilMs = performance.now() + readyTimeoutMs;
  while (performance.now() < untilMs) {
    if (signal?.aborted === true) throw toWinnowError(signal.reason);
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      throw ended(executable, await readFile(logFile, "utf8").catch(() => ""));
    }
    if (await answers(address)) return;
    await delay(READY_POLL_MS);
  }
  const said = cleanMessage((await readFile(logFile, "utf8").catch(() => "")).slice(-SAID_UNITS), undefined);
  const message = `The Chroma server did not start within ${readyTimeoutMs / 1_000} s${said === "" ? "." : `: ${said}`}`;
  throw new WinnowError("timeout", message, {
    hint: "Another process may hold the directory: end it, or leave out --in-place, so that a copy is opened.",
    retryable: true,
  });
}

async function answers(address: string): Promise<boolean> {
  try {
    const response = await fetch(`${address}/api/v2/heartbeat`, {
      redirect: "error",
      signal: deadline(1_000),
    });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function ended(executable: string, printed: string): WinnowError {
  if (NEWER_LIBC.test(printed)) {
    return new WinnowError(
      "dependency_missing",
      `${executable} does not run on this system: it needs a newer C library.`,
      {
        hint: "The server inside the npm package chromadb is built for glibc 2.39. Use the Python one: pip install chromadb.",
      },
    );
  }
  const said = cleanMessage(printed.slice(-SAID_UNITS), undefined);
  return new WinnowError(
    "store_failed",
    `The Chroma server (${executable}) ended at its start${said === "" ? "." : `: ${said}`}`,
    {
      hint: `Try it by hand: ${executable} run --path FOLDER. ${INSTALL_HINT}`,
    },
  );
}

async function end(child: ChildProcess): Promise<void> {
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.stdin?.destroy();
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  if (process.platform === "win32") child.kill();
  const timer = setTimeout(() => killGroup(child), 2 * END_TIMEOUT_MS);
  await gone;
  clearTimeout(timer);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, HOST, () => {
      const address = probe.address();
      probe.close(() => {
        if (typeof address === "object" && address !== null) resolve(address.port);
        else reject(new Error("no port"));
      });
    });
  });
}
