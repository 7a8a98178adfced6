import { expect, test } from "vitest";
import type { RecordEvent } from "../record/events.ts";
import { LiveView } from "./live-view.ts";
import { createOutput } from "./output.ts";

const output = createOutput({ color: false });
const notice = (message: string): RecordEvent => ({
  ...{ type: "notice", seq: 1, at: 0, turn: 1, code: "retry", message, shown: "never" },
});

test("a notice is shown once, whole, also where several runs of one search have it", () => {
  const lines: string[] = [];
  const told = new Set<string>();
  const views = ["1", "2"].map((run) => new LiveView(output, (line) => lines.push(`${run}${line}`), told));
  const long = `The server refused. ${"word ".repeat(60)}end.`;
  for (const view of views) for (const message of ["a", long, "a", "b"]) view.show(notice(message));
  expect(lines).toEqual(["1  note: a", `1  note: ${long}`, "1  note: b"]);
  expect([...told]).toEqual(["a", long, "b"]);
});
