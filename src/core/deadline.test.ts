import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { deadline } from "./deadline.ts";
import { toWinnowError } from "./errors.ts";

test("a deadline comes, also where it was only composed and the garbage was collected meanwhile", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const outer = new AbortController();
  const signals = Array.from({ length: 50 }, () => AbortSignal.any([outer.signal, deadline(150)]));
  for (let i = 0; i < 5; i++) {
    collect();
    await delay(10);
  }
  await delay(250);
  expect(signals.filter(({ aborted }) => !aborted)).toEqual([]);
  expect(toWinnowError(signals[0]?.reason).code).toBe("timeout");
});
