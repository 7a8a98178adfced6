import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { WinnowError } from "./errors.ts";
import { Gate } from "./gate.ts";

const never = new AbortController().signal;
const gate = (runningMax: number, waitingMax: number, waitMsMax = 10_000) =>
  new Gate({ runningMax, waitingMax, waitMsMax });

describe("Gate", () => {
  test("lets a bounded number run, has a bounded number wait in order, and refuses the rest", async () => {
    const one = gate(2, 2);
    const order: string[] = [];
    const noted = async (name: string, entered: Promise<() => void>): Promise<() => void> => {
      const leave = await entered;
      order.push(name);
      return leave;
    };
    const leaveA = await one.enter(never);
    const leaveB = await one.enter(never);
    const c = noted("c", one.enter(never));
    const d = noted("d", one.enter(never));
    await expect(one.enter(never)).rejects.toMatchObject({ code: "busy", retryable: true });
    expect([one.running, one.waiting]).toEqual([2, 2]);
    leaveA();
    leaveA();
    const leaveC = await c;
    expect(order).toEqual(["c"]);
    leaveC();
    const leaveD = await d;
    expect(order).toEqual(["c", "d"]);
    leaveB();
    leaveD();
    expect([one.running, one.waiting]).toEqual([0, 0]);
  });

  test("whoever goes away while it waits leaves no trace", async () => {
    const one = gate(1, 5);
    const leave = await one.enter(never);
    const controller = new AbortController();
    const waiting = one.enter(controller.signal);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
    expect(one.waiting).toBe(0);
    leave();
    expect(one.running).toBe(0);
    await expect(one.enter(controller.signal)).rejects.toMatchObject({ name: "AbortError" });
    expect(one.running).toBe(0);
  });

  test("nobody waits longer than allowed", async () => {
    const one = gate(1, 5, 20);
    const leave = await one.enter(never);
    await expect(one.enter(never)).rejects.toMatchObject({ code: "busy" });
    leave();
    expect([one.running, one.waiting]).toEqual([0, 0]);
  });

  test("closed, it refuses those that wait and those that come", async () => {
    const one = gate(1, 5);
    const leave = await one.enter(never);
    const waiting = one.enter(never);
    one.close(new WinnowError("unavailable", "Over."));
    await expect(waiting).rejects.toMatchObject({ code: "unavailable" });
    await expect(one.enter(never)).rejects.toMatchObject({ code: "unavailable" });
    leave();
    expect(one.running).toBe(0);
  });

  test("never more run than allowed, whatever the order of coming and going", async () => {
    const one = gate(3, 1_000);
    const signals = Array.from({ length: 200 }, () => new AbortController().signal);
    let most = 0;
    let done = 0;
    await Promise.all(
      signals.map(async (signal, i) => {
        const leave = await one.enter(signal);
        most = Math.max(most, one.running);
        await delay(i % 3);
        done++;
        leave();
      }),
    );
    expect([most, done, one.running]).toEqual([3, 200, 0]);
  });
});
