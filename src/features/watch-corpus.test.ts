import { watch } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isRefreshed, type WatchFixture, watchFixture } from "../../test/support/watch-fixture.ts";

let fixture: WatchFixture;
beforeEach(async () => {
  fixture = await watchFixture();
});
afterEach(() => fixture.remove());

// What a watch makes of all kinds of changes, and beside other processes: test/full/watch-places.test.ts.
describe("watchCorpus, what the system tells", () => {
  test("where it gives no more watchers, changes are looked for, and it is said", async () => {
    await fixture.put("a.md", "apple");
    await mkdir(join(fixture.notes, "sub"));
    await fixture.put("sub/b.md", "banana");
    let given = 0;
    const watching = fixture.start(
      {},
      {
        recursive: false,
        watchPlace: (path, how, onEvent) => {
          given++;
          if (given > 1) throw Object.assign(new Error("no space left on device, watch"), { code: "ENOSPC" });
          return watch(path, { ...how, persistent: false }, onEvent);
        },
      },
    );
    await watching.until((event) => event.type === "notice" && event.message.includes("watches no more folders"));
    await fixture.put("sub/b.md", "cherry");
    await fixture.found("cherry", ["notes/sub/b.md"]);
    expect(watching.events.filter(({ type }) => type === "notice")).toHaveLength(1);
  }, 60_000);

  test("what it does not tell is found by the look at everything", async () => {
    await fixture.put("a.md", "apple");
    const watching = fixture.start(
      {},
      { lookIntervalMs: 300, watchPlace: () => ({ close: () => undefined, on: () => undefined as never }) },
    );
    await watching.until(isRefreshed);
    await fixture.put("a.md", "banana");
    await fixture.found("banana", ["notes/a.md"]);
    await watching.until((event) => event.type === "refreshed" && event.cause === "look");
  }, 60_000);
});
