import type { RecordEvent } from "../../../src/record/events.ts";
import type { RunRecord } from "../../../src/record/parse-record.ts";
import { type Run, toRun } from "../model/load.ts";
import type { Message } from "./api.ts";

/** Time between two pictures of a run that goes on: each is derived from all of its record. */
const PICTURE_MS = 250;
/** Of what a model is just writing; the turn shows all of it once it is done. */
const WRITING_UNITS_MAX = 400;

/** A run under way, as far as it is known. */
export interface Picture {
  readonly run: Run | undefined;
  /** The end of what a model is writing right now. */
  readonly writing: string;
}

/**
 * Collects the messages of a stream; a new picture comes at most every quarter of a second, and one at the end, with
 * which the call resolves. `now` counts milliseconds.
 */
export async function followRun(
  messages: AsyncIterable<Message>,
  show: (picture: Picture) => void,
  now: () => number = () => performance.now(),
): Promise<Run | undefined> {
  let record: RunRecord | undefined;
  let events: readonly RecordEvent[] = [];
  let writing = "";
  let shownAt = Number.NEGATIVE_INFINITY;
  const picture = (): Picture => ({ run: record && toRun(record.header.runId, record), writing });
  for await (const message of messages) {
    if (message.type === "header") record = { header: message.header, events, torn: false };
    else if (message.type === "delta") writing = (writing + message.text).slice(-WRITING_UNITS_MAX);
    else if (record !== undefined) {
      events = [...events, message.event];
      record = { ...record, events };
      if (message.event.type === "decision") writing = "";
    }
    if (now() - shownAt < PICTURE_MS) continue;
    shownAt = now();
    show(picture());
  }
  const last = picture();
  show(last);
  return last.run;
}
