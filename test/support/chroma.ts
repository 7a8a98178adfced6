import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { findChromaCommand } from "../../scripts/chroma/find.mjs";
import { executableName } from "../../scripts/python/find.mjs";
import { skipUnless } from "./skip-unless.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const generator = join(root, "python", "chroma");

/** Chroma's own command; empty where there is none, and then no test of a real server runs. */
export const chromaCommand = findChromaCommand(root, process.env) ?? "";
/** The Python that the command belongs to; empty where it is another kind of command. */
export const chromaPython = chromaCommand === "" ? "" : pythonBeside(chromaCommand);

export const realChroma = skipUnless(
  chromaCommand !== "",
  "there is no chroma command: npm run chroma:up -- --install, or name one with WINNOW_CHROMA.",
  { mayBeAbsent: process.env["WINNOW_CHROMA_ABSENT"] === "1" },
);
export const realPython = skipUnless(chromaPython !== "", "there is no Python beside the chroma command.", {
  mayBeAbsent: process.env["WINNOW_CHROMA_ABSENT"] === "1",
});

function pythonBeside(command: string): string {
  const python = join(dirname(command), executableName("python"));
  return existsSync(python) ? python : "";
}

/** Path, time and digest of every file: equal before and after means that nobody wrote. */
export function digest(folder: string): readonly (readonly [path: string, mtimeMs: number, sha256: string])[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .flatMap((path) => {
      const file = join(folder, path);
      const found = statSync(file);
      if (!found.isFile()) return [];
      return [[path, found.mtimeMs, createHash("sha256").update(readFileSync(file)).digest("hex")] as const];
    });
}

export interface FourCollections {
  readonly folder: string;
  /** False where the weights of the model are not installed: the vectors mean nothing then. */
  readonly areVectorsReal: boolean;
}

/**
 * A directory of four collections written by Chroma's PersistentClient (python/chroma), copied into `folder`. Made once
 * for a state of the generator and kept beside the build's caches, since embedding takes half a minute.
 */
export function fourCollections(folder: string): FourCollections {
  const cache = join(root, "node_modules", ".cache", "winnow", "chroma-four");
  const state = createHash("sha256").update(chromaPython);
  for (const name of readdirSync(generator).sort()) {
    if (/\.(py|json|txt)$/.test(name)) state.update(readFileSync(join(generator, name)));
  }
  const name = state.digest("hex").slice(0, 16);
  const made = ["minilm", "placeholder"].map((vectors) => join(cache, `${name}-${vectors}`));
  const found = made.find((path) => existsSync(path)) ?? generate(cache, made);
  cpSync(found, folder, { recursive: true, preserveTimestamps: true });
  return { folder, areVectorsReal: found.endsWith("minilm") };
}

function generate(cache: string, made: readonly string[]): string {
  mkdirSync(cache, { recursive: true });
  const failures: string[] = [];
  for (const path of made) {
    const vectors = path.split("-").at(-1) ?? "";
    const temporary = join(mkdtempSync(join(cache, "making-")), "data");
    const args = [join(generator, "four_collections.py"), temporary, "--vectors", vectors];
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
    const { status, stderr } = spawnSync(chromaPython, args, { encoding: "utf8", env });
    if (status === 0) {
      // Another test may have made it meanwhile.
      if (!existsSync(path)) renameSync(temporary, path);
      return path;
    }
    failures.push(stderr);
  }
  throw new Error(`The four collections cannot be made: ${failures.join("\n")}`);
}

/** A server that a test may kill at any time and start again at the same address. */
export class KillableServer {
  readonly address: string;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  constructor(folder: string, port: number) {
    this.#folder = folder;
    this.address = `http://127.0.0.1:${port}`;
  }

  async start(): Promise<void> {
    const args = ["run", "--path", this.#folder, "--host", "127.0.0.1", "--port", new URL(this.address).port];
    this.#child = spawn(chromaCommand, args, {
      stdio: "ignore",
      env: { ...process.env, ANONYMIZED_TELEMETRY: "False" },
    });
    for (let tries = 0; tries < 600; tries++) {
      const isUp = await fetch(`${this.address}/api/v2/heartbeat`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isUp) return;
      await delay(50);
    }
    throw new Error(`No server at ${this.address}.`);
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }
}
