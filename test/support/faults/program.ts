import { spawn } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundleChild, type Child } from "../bundle-child.ts";

const HOOK = pathToFileURL(fileURLToPath(new URL("./hook.mjs", import.meta.url))).href;

/** What goes wrong in a child process, and where. */
export interface Fault {
  /** Changes below this folder are the points that are counted. */
  readonly under: string;
  /**
   * `kill`: the process dies by SIGKILL at the point, a write being half done. `full`: from the point on there is no room
   * left. `fail`: that one call fails with `code`. Left out: the points are only counted.
   */
  readonly how?: "kill" | "full" | "fail";
  /** From 1. */
  readonly at?: number;
  readonly code?: string;
  /** Calls of Lance that write are points too, and a moment inside of each. */
  readonly native?: boolean;
  /** Prints every point on stderr. */
  readonly trace?: boolean;
}

export interface Ended {
  /** Lines on stdout; a killed process may have torn the last one, which is left out. */
  readonly lines: readonly string[];
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Points that were passed; undefined where the process was killed. */
  readonly points: number | undefined;
}

export interface FaultProgram {
  run(args: readonly string[], fault: Fault, options?: RunOptions): Promise<Ended>;
  remove(): Promise<void>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** More modules to preload. */
  readonly imports?: readonly string[];
}

/** A program in a process of its own that meets faults; `code` imports our sources as `./src/…`. */
export async function faultProgram(name: string, code: string): Promise<FaultProgram> {
  const child: Child = await bundleChild(name, code);
  return {
    run: (args, fault, options = {}) => runChild(child.script, args, fault, options),
    remove: () => child.remove(),
  };
}

function runChild(script: string, args: readonly string[], fault: Fault, options: RunOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const preloads = [HOOK, ...(options.imports ?? [])].flatMap((url) => ["--import", url]);
    const child = spawn(process.execPath, [...preloads, script, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...options.env, WINNOW_FAULT: JSON.stringify(fault) },
    });
    let [said, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      said += part;
    });
    child.stderr.setEncoding("utf8").on("data", (part: string) => {
      stderr += part;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const points = /^points ([0-9]+)$/m.exec(said)?.[1];
      const lines = said.split("\n").slice(0, -1);
      resolve({ lines, stderr, code, signal, points: points === undefined ? undefined : Number(points) });
    });
  });
}

/** `count` of the points 1 to `points`, evenly spread, both ends among them; all where there are fewer. */
export function spread(points: number, count: number): readonly number[] {
  if (points <= count) return Array.from({ length: points }, (_, i) => i + 1);
  const step = (points - 1) / Math.max(1, count - 1);
  return [...new Set(Array.from({ length: count }, (_, i) => Math.round(1 + i * step)))];
}

/** Runs `work` on every item, so many at a time; stops at the first failure. */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      try {
        await work(item);
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: atOnce }, worker));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
