import { WinnowError } from "../../../core/errors.ts";
import { Segment } from "./segment.ts";

interface Held {
  readonly opened: Promise<Segment>;
  users: number;
}

/** Open segments, each opened once however many readers use it, and closed when the last of them is done. */
export class SegmentPool {
  readonly #held = new Map<string, Held>();
  #closed = false;

  /** Each call asks for one `release` of the same path; none where it rejects. */
  async acquire(path: string): Promise<Segment> {
    if (this.#closed) throw new WinnowError("internal", "The store is closed.");
    const held = this.#held.get(path) ?? { opened: Segment.open(path), users: 0 };
    this.#held.set(path, held);
    held.users++;
    try {
      return await held.opened;
    } catch (error) {
      if (this.#held.get(path) === held) this.#held.delete(path);
      throw error;
    }
  }

  /** One more use of a segment that is open. */
  retain(path: string): void {
    const held = this.#held.get(path);
    if (held === undefined) throw new WinnowError("internal", `${path} is not open.`);
    held.users++;
  }

  release(path: string): void {
    const held = this.#held.get(path);
    if (held === undefined || --held.users > 0) return;
    this.#held.delete(path);
    held.opened.then(
      (segment) => segment.close(),
      () => undefined,
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#held.values()];
    this.#held.clear();
    for (const { opened } of all) (await opened.catch(() => undefined))?.close();
  }
}
