import { WinnowError } from "../../core/errors.ts";
import { Chance } from "./chance.ts";
import { mutate, type Structure } from "./mutate.ts";
import { startWatchdog } from "./watchdog.ts";

/** Inputs of a target for each unit of WINNOW_TEST_SCALE: 10,000 at full count. */
const COUNT_EACH = 500;
/** Processor time that one input may take: what is linear in `INPUT_BYTES_MAX` takes a fraction of it. */
export const INPUT_CPU_MS_MAX = 4_000;
const SEED_STEP = 1_000_003;
const BASE_SEED = 20_261_128;

/** What is fuzzed: fixtures, what they are made of, and what must not fail. */
export interface FuzzTarget {
  /** Also finds the test again: unique, without signs that a regular expression knows. */
  readonly name: string;
  readonly fixtures: readonly (string | Buffer)[];
  /** How inputs are changed besides by their bytes. */
  readonly structures: readonly Structure[];
  /** How often a change knows nothing of the structure, for formats in which hardly any such change gets far. */
  readonly blindShare?: number;
  /** Part of the full count, for what takes long; default 1. */
  readonly share?: number;
  /** Handles one input and checks what came of it. May throw errors of ours, but for `internal`. */
  run(input: Buffer, chance: Chance): unknown;
}

export interface FuzzReport {
  readonly inputs: number;
  /** Inputs that ended in an error of ours, by its code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Processor time of the slowest input. */
  readonly slowestMs: number;
}

interface FuzzSettings {
  readonly count: number;
  readonly base: number;
  /** Only the input of this seed. */
  readonly only: number | undefined;
}

/** WINNOW_TEST_SCALE scales the count, WINNOW_FUZZ_BASE begins elsewhere, WINNOW_FUZZ_SEED replays one input. */
function settingsFrom(environment: NodeJS.ProcessEnv, share: number): FuzzSettings {
  const scale = Number(environment["WINNOW_TEST_SCALE"] ?? 1);
  const seed = environment["WINNOW_FUZZ_SEED"];
  return {
    count: Math.max(1, Math.round(COUNT_EACH * scale * share)),
    base: Number(environment["WINNOW_FUZZ_BASE"] ?? BASE_SEED),
    only: seed === undefined ? undefined : Number(seed),
  };
}

/**
 * Runs a target over its count of inputs. Rejects at the first that throws what is not an error of ours, fails a check, or
 * takes too long, with the command that runs it again. An input that never ends, or eats the memory, ends the process.
 */
export async function fuzz(target: FuzzTarget, environment: NodeJS.ProcessEnv = process.env): Promise<FuzzReport> {
  const { count, base, only } = settingsFrom(environment, target.share ?? 1);
  const fixtures = target.fixtures.map((fixture) => Buffer.from(fixture));
  const replay = `npx vitest run --project full test/full/fuzz -t "${target.name}"`;
  const watchdog = startWatchdog(target.name, replay);
  const refused: Record<string, number> = {};
  let slowestMs = 0;
  try {
    for (let i = 0; i < (only === undefined ? count : 1); i++) {
      const seed = only ?? (base + i * SEED_STEP) >>> 0;
      watchdog.begin(seed);
      const before = process.cpuUsage();
      try {
        const code = await outcomeOf(target, fixtures, seed);
        if (code !== undefined) refused[code] = (refused[code] ?? 0) + 1;
      } catch (error) {
        const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
        throw new Error(`${target.name}, seed ${seed}: ${shown}\nReplay: WINNOW_FUZZ_SEED=${seed} ${replay}`);
      }
      const { user, system } = process.cpuUsage(before);
      const ms = (user + system) / 1_000;
      if (ms > INPUT_CPU_MS_MAX) {
        throw new Error(
          `${target.name}, seed ${seed}: ${ms} ms of processor time. Replay: WINNOW_FUZZ_SEED=${seed} ${replay}`,
        );
      }
      slowestMs = Math.max(slowestMs, ms);
      watchdog.end();
    }
    return { inputs: only === undefined ? count : 1, refused, slowestMs };
  } finally {
    await watchdog.close();
  }
}

/** Code of the error of ours that the input ended in, if any. */
async function outcomeOf(target: FuzzTarget, fixtures: readonly Buffer[], seed: number): Promise<string | undefined> {
  const chance = new Chance(seed);
  const input = mutate(fixtures, target.structures, chance, target.blindShare);
  try {
    await target.run(input, chance);
    return undefined;
  } catch (error) {
    if (!WinnowError.isInstance(error) || error.code === "internal") throw error;
    return error.code;
  }
}
