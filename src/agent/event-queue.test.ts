import { describe, expect, it } from "vitest";
import { EventQueue } from "./event-queue.ts";

type Event = { readonly kept: number } | { readonly piece: string };
const PIECE = "x".repeat(1_000);
const open = (): EventQueue<Event> => new EventQueue((event) => ("piece" in event ? event.piece.length : 0));

async function take(events: AsyncIterator<Event>, count: number): Promise<Event[]> {
  const taken: Event[] = [];
  while (taken.length < count) {
    const { done, value } = await events.next();
    if (done === true) break;
    taken.push(value);
  }
  return taken;
}

async function all(queue: EventQueue<Event>): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of queue) events.push(event);
  return events;
}

describe("events of a run", () => {
  it("come to every reader in order, whenever it begins", async () => {
    const queue = open();
    queue.push({ kept: 1 });
    const early = all(queue);
    queue.push({ piece: "a" });
    await Promise.resolve();
    queue.push({ kept: 2 });
    queue.close();
    const expected = [{ kept: 1 }, { piece: "a" }, { kept: 2 }];
    expect(await early).toEqual(expected);
    expect(await all(queue)).toEqual(expected);
  });

  it("that nobody reads hold bounded memory, and none that stays is lost", async () => {
    const queue = open();
    for (let i = 0; i < 20_000; i++) {
      queue.push({ piece: PIECE });
      if (i % 100 === 0) queue.push({ kept: i });
    }
    queue.close();
    const events = await all(queue);
    const pieces = events.filter((event) => "piece" in event);
    expect(pieces.length).toBeGreaterThan(100);
    expect(pieces.length).toBeLessThanOrEqual(1_000);
    expect(events.filter((event) => "kept" in event)).toEqual(
      Array.from({ length: 200 }, (_, i) => ({ kept: 100 * i })),
    );
    // The newest pieces are those that are left.
    expect(events.slice(-100).every((event, i) => "piece" in event || i === 0)).toBe(true);
  });

  it("a reader that stood still goes on where it was, without what went meanwhile, and another misses nothing", async () => {
    const queue = open();
    const [slow, quick] = [queue[Symbol.asyncIterator](), queue[Symbol.asyncIterator]()];
    queue.push({ kept: 1 });
    queue.push({ piece: "first" });
    expect(await take(slow, 2)).toEqual([{ kept: 1 }, { piece: "first" }]);
    const seen = await take(quick, 2);
    for (let i = 0; i < 5_000; i++) {
      queue.push({ piece: PIECE });
      queue.push({ kept: i });
      seen.push(...(await take(quick, 2)));
    }
    queue.close();
    expect(seen.length).toBe(10_002);
    const rest = await take(slow, Number.POSITIVE_INFINITY);
    expect(rest.filter((event) => "kept" in event).length).toBe(5_000);
    expect(rest.filter((event) => "piece" in event).length).toBeLessThanOrEqual(1_000);
    // Whoever has read everything waits for what is to come.
    expect(await quick.next()).toEqual({ done: true, value: undefined });
  });
});
