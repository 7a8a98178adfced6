import type { JSX } from "preact";
import { moment, plural, stopWords } from "../view/format.ts";
import type { PastRun } from "./api.ts";

interface PastRunsProps {
  /** Undefined until they are known. */
  readonly runs: readonly PastRun[] | undefined;
  readonly onOpen: (runId: string) => void;
}

/** What was asked before, newest first. */
export function PastRuns({ runs, onOpen }: PastRunsProps): JSX.Element {
  if (runs === undefined || runs.length === 0) {
    return (
      <main class="past">
        <p class="facts">{runs === undefined ? "" : "No search has been recorded yet. Ask something."}</p>
      </main>
    );
  }
  return (
    <main class="past">
      <h2>Recorded runs</h2>
      <ul>
        {runs.map(({ runId, query, at, documents, turns, stopReason }) => (
          <li key={runId}>
            <button type="button" class="past-run" onClick={() => onOpen(runId)}>
              <bdi>{query}</bdi>
              <span class="facts">
                {moment(at)} · {plural(documents, "document")} · {plural(turns, "turn")} · {stopWords(stopReason)}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </main>
  );
}
