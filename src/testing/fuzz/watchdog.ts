import { Worker } from "node:worker_threads";

/** How long one input may keep the thread, milliseconds of the clock: far above what a loaded machine adds. */
const HANG_MS = 60_000;
/** By how much the process may grow while a target runs. */
const GROWTH_BYTES_MAX = 1_536 * 1024 * 1024;
const LOOK_EVERY_MS = 250;

/** Kills the process when an input hangs or eats the memory, after it has said which: nothing else ends a loop. */
export interface Watchdog {
  /** An input begins. */
  begin(seed: number): void;
  /** It is over. */
  end(): void;
  close(): Promise<void>;
}

// Plain JavaScript: a thread of its own goes on while the one it watches does not.
const PROGRAM = `
const { workerData, parentPort } = require("node:worker_threads");
const { writeSync } = require("node:fs");
const { shared, name, replay, hangMs, growthMax, everyMs } = workerData;
const state = new Float64Array(shared);
const before = process.memoryUsage.rss();
const look = () => {
  const [seed, since] = state;
  if (since === 0) return;
  const ms = Date.now() - since;
  const growth = process.memoryUsage.rss() - before;
  const what = ms > hangMs ? "hangs for " + ms + " ms" : growth > growthMax ? "takes " + growth + " bytes" : "";
  if (what === "") return;
  writeSync(2, "\\nfuzz: " + name + " " + what + ". Replay: WINNOW_FUZZ_SEED=" + seed + " " + replay + "\\n");
  process.kill(process.pid, "SIGKILL");
};
const timer = setInterval(look, everyMs);
parentPort.once("message", () => clearInterval(timer));
`;

export function startWatchdog(name: string, replay: string): Watchdog {
  const shared = new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT);
  const state = new Float64Array(shared);
  const limits = { hangMs: HANG_MS, growthMax: GROWTH_BYTES_MAX, everyMs: LOOK_EVERY_MS };
  const worker = new Worker(PROGRAM, { eval: true, workerData: { shared, name, replay, ...limits } });
  worker.unref();
  return {
    begin(seed) {
      state[0] = seed;
      state[1] = Date.now();
    },
    end() {
      state[1] = 0;
    },
    async close() {
      await worker.terminate();
    },
  };
}
