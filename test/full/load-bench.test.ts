import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { closedLoop, openLoop } from "../../bench/load/generate.ts";
import { faults, perSecond } from "../../bench/load/report.ts";
import { sustainableRate } from "../../bench/load/sustain.ts";
import type { Target } from "../../bench/load/targets.ts";
import { Gate, through } from "../../src/core/gate.ts";
import { checkout } from "../support/packed.ts";
import { skipUnless } from "../support/skip-unless.ts";

const { describe, test } = skipUnless(process.platform === "linux", "memory of a server is read from /proc.");

/** A target that does one thing after the other, 20 ms each. */
function oneByOne(): Target {
  const gate = new Gate({ runningMax: 1 });
  return {
    name: "double",
    unit: "queries",
    ask: (number) =>
      through(gate, undefined, async () => {
        await delay(20);
        return { kind: "answer", answer: `${number}` };
      }),
    rssBytes: () => 0,
    cpuMs: () => 0,
    pulse: async () => 0,
    close: async () => {},
  };
}

describe("bench/load", () => {
  test("counts latency from when a request was due, and finds about the rate that a target can do", async () => {
    const target = oneByOne();
    const known = new Map([[0, "0"]]);
    const capacity = perSecond(await closedLoop(target, known, { clients: 2, seconds: 1 }));
    const tenfold = await openLoop(target, known, { rate: 10 * capacity, seconds: 0.3 });
    // As many as are done in three seconds were sent in a tenth of it.
    expect(Math.max(...tenfold.latencies)).toBeGreaterThan(1_000);
    expect(faults("10x", tenfold, 1)).toEqual([]);
    const sustained = await sustainableRate(target, known, capacity, { p99Ms: 500, seconds: 1 });
    expect(sustained?.rate).toBeGreaterThan(0.25 * capacity);
    expect(sustained?.rate).toBeLessThan(1.5 * capacity);
  });

  for (const target of ["find", "scripted", "http-find", "http-search"]) {
    test(`${target}: ten times what is sustained loses nothing`, () => {
      const args = ["--target", target, "--chunks", "240", "--questions", "10", "--seconds", "2", "--p99", "60000"];
      const script = [`${checkout}/scripts/bench.mjs`, "load", ...args, "--times", "1,10", "--clients", "4"];
      const { status, stdout, stderr } = spawnSync(process.execPath, script, { cwd: checkout, encoding: "utf8" });
      expect(stderr).not.toContain("load: ");
      expect(status).toBe(0);
      expect(stdout).toMatch(/\| 10 times that \| [\d.]+ \| [\d.]+ \| [\d.]+ \| \d+ \|/);
      expect(stdout).toMatch(/ratio \d/);
    });
  }
});
