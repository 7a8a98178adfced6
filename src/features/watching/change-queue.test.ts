import { describe, expect, test } from "vitest";
import { ChangeQueue, DELAY_MAX_MS, KEYS_MAX, SETTLE_MS } from "./change-queue.ts";

describe("ChangeQueue", () => {
  test("gives a key once it has settled, and not before", () => {
    const queue = new ChangeQueue();
    queue.add("a", 0);
    queue.add("b", 100);
    expect(queue.dueMs).toBe(SETTLE_MS);
    expect(queue.take(SETTLE_MS - 1)).toBeUndefined();
    expect(queue.take(SETTLE_MS)).toEqual({ keys: ["a"], sinceMs: 0 });
    expect(queue.take(100 + SETTLE_MS)).toEqual({ keys: ["b"], sinceMs: 100 });
    expect(queue.dueMs).toBeUndefined();
  });

  test("gives a key that never settles after the longest delay", () => {
    const queue = new ChangeQueue();
    for (let ms = 0; ms < DELAY_MAX_MS; ms += 10) {
      queue.add("log", ms);
      expect(queue.take(ms)).toBeUndefined();
    }
    expect(queue.take(DELAY_MAX_MS)).toEqual({ keys: ["log"], sinceMs: 0 });
  });

  test("gives everything where too many keys changed, and holds no more than that", () => {
    const queue = new ChangeQueue();
    for (let i = 0; i <= KEYS_MAX; i++) queue.add(`f${i}`, i);
    expect(queue.take(KEYS_MAX)).toBeUndefined();
    expect(queue.take(KEYS_MAX + SETTLE_MS)).toEqual({ sinceMs: 0 });
    expect(queue.take(Number.MAX_SAFE_INTEGER)).toBeUndefined();
  });

  test("what was taken and not done waits again, as long as it has waited", () => {
    const queue = new ChangeQueue();
    queue.add("a", 0);
    const batch = queue.take(SETTLE_MS) ?? { sinceMs: -1 };
    queue.add("a", 1_000);
    queue.restore(batch);
    expect(queue.take(1_000 + SETTLE_MS)).toEqual({ keys: ["a"], sinceMs: 0 });
    queue.add("b", 5_000);
    queue.restore({ sinceMs: 4_000 });
    expect(queue.take(9_000)).toEqual({ sinceMs: 4_000 });
    expect(queue.takeAll()).toBeUndefined();
    queue.add("c", 9_500);
    expect(queue.takeAll()).toEqual({ sinceMs: 9_500 });
    expect(queue.dueMs).toBeUndefined();
  });
});
