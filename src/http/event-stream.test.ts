import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { EventStream, type StreamTarget } from "./event-stream.ts";

/** A response whose client reads when it is told to. */
class Target extends EventEmitter {
  readonly written: string[] = [];
  readonly room: number;
  status = 0;
  destroyed = false;
  ended = false;
  writableNeedDrain = false;

  constructor(room: number) {
    super();
    this.room = room;
  }

  writeHead(status: number): this {
    this.status = status;
    return this;
  }

  flushHeaders(): void {}

  write(text: string): boolean {
    this.written.push(text);
    this.writableNeedDrain = this.written.length >= this.room;
    return !this.writableNeedDrain;
  }

  end(): this {
    this.ended = true;
    return this;
  }

  destroy(): this {
    this.destroyed = true;
    this.emit("close");
    return this;
  }
}

function open(room: number, stallMsMax = 10_000) {
  const target = new Target(room);
  let stalls = 0;
  const options = { stallMsMax, onStall: () => void stalls++ };
  const stream = new EventStream(target as unknown as StreamTarget, options, {});
  return { target, stream, stalls: () => stalls };
}

describe("EventStream", () => {
  test("a message is one line of data, whatever is in it", async () => {
    const { target, stream } = open(10);
    await stream.send("notice", { text: "a\n\nevent: result\ndata: {}" });
    stream.end();
    expect(target.written).toEqual(['event: notice\ndata: {"text":"a\\n\\nevent: result\\ndata: {}"}\n\n']);
    expect([target.status, target.ended]).toEqual([200, true]);
  });

  test("nothing more is written until the client has taken what there is", async () => {
    const { target, stream } = open(1);
    const sent = stream.send("a", 1).then(() => stream.send("b", 2));
    await new Promise((resolve) => setImmediate(resolve));
    expect(target.written).toHaveLength(1);
    target.emit("drain");
    await new Promise((resolve) => setImmediate(resolve));
    expect(target.written).toHaveLength(2);
    target.emit("drain");
    await sent;
    expect([target.listenerCount("drain"), target.listenerCount("close")]).toEqual([0, 0]);
    stream.end();
  });

  test("a client that takes nothing is cut", async () => {
    const { target, stream, stalls } = open(1, 20);
    await expect(stream.send("a", 1)).rejects.toMatchObject({ code: "cancelled" });
    expect([target.destroyed, stalls()]).toEqual([true, 1]);
    await expect(stream.send("b", 2)).rejects.toMatchObject({ code: "cancelled" });
    expect(target.written).toHaveLength(1);
    stream.end();
  });

  test("a client that reads too slowly is cut when all there is has been waiting for long enough", async () => {
    const { target, stream, stalls } = open(1);
    const sent = stream.send("a", 1);
    stream.endWithin(20);
    await expect(sent).rejects.toMatchObject({ code: "cancelled" });
    expect([target.destroyed, stalls()]).toEqual([true, 1]);
    const quick = open(10);
    quick.stream.endWithin(20);
    quick.stream.end();
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect([quick.target.destroyed, quick.stalls()]).toEqual([false, 0]);
  });

  test("a client that goes away is noticed at once", async () => {
    const { target, stream, stalls } = open(1);
    const sent = stream.send("a", 1);
    target.destroy();
    await expect(sent).rejects.toMatchObject({ code: "cancelled" });
    expect(stalls()).toBe(0);
    stream.end();
  });
});
