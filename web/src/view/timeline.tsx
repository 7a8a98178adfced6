import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Run } from "../model/load.ts";
import { callOutcome, callPhrase, saidIn, type Turn, toolWord } from "../model/turns.ts";
import type { ChooseTurn } from "./choose-turn.ts";
import { count, plural } from "./format.ts";

/** Of what the policy said in a turn; the turn itself shows all of it. */
const SAID_UNITS_MAX = 160;
const CALLS_SHOWN_MAX = 6;
const NEIGHBOUR_PX = 90;

interface TimelineProps {
  readonly run: Run;
  readonly turn: number;
  readonly onTurn: ChooseTurn;
  readonly label?: string;
}

/** The turns of a run, top down; the chosen one is kept in view. */
export function Timeline({ run, turn, onTurn, label = "Turns" }: TimelineProps): JSX.Element {
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    if (nav.current !== null) showCurrent(nav.current);
  }, [turn, run]);
  return (
    <nav ref={nav} class="timeline" aria-label={label}>
      <ol>
        {run.turns.map((one) => (
          <li key={one.number}>
            <TurnButton turn={one} run={run} isSelected={one.number === turn} onTurn={onTurn} />
          </li>
        ))}
      </ol>
    </nav>
  );
}

/** Scrolls the list, and nothing around it, until the chosen turn and a part of its neighbours are in view. */
function showCurrent(nav: HTMLElement): void {
  const current = nav.querySelector("[aria-current]");
  if (current === null) return;
  const own = current.getBoundingClientRect();
  const all = nav.getBoundingClientRect();
  const around = Math.max(0, Math.min(NEIGHBOUR_PX, (all.height - own.height) / 2));
  const above = all.top + around - own.top;
  const below = own.bottom + around - all.bottom;
  if (above > 0) nav.scrollTop -= above;
  else if (below > 0) nav.scrollTop += Math.min(below, -above);
}

interface TurnButtonProps {
  readonly turn: Turn;
  readonly run: Run;
  readonly isSelected: boolean;
  readonly onTurn: ChooseTurn;
}

function TurnButton({ turn, run, isSelected, onTurn }: TurnButtonProps): JSX.Element {
  const said = saidIn(turn).slice(0, SAID_UNITS_MAX);
  const freed = turn.edits.reduce((sum, edit) => sum + edit.tokensFreed, 0);
  const isEdited = turn.prunedChunks > 0;
  const calls = turn.calls.filter(({ call }) => !isEdited || call.tool !== "prune_chunks");
  const hidden = calls.length - CALLS_SHOWN_MAX;
  return (
    <button
      type="button"
      class="turn"
      aria-current={isSelected ? "step" : undefined}
      onClick={() => onTurn(turn.number)}
    >
      <span class="number">
        <span class="unseen">Turn </span>
        {turn.number}
      </span>
      <span class="events">
        {said === "" ? null : <span class="said">{said}</span>}
        {calls.slice(0, CALLS_SHOWN_MAX).map((one) => (
          <span key={one.call.id} class={one.result?.error === undefined ? "event" : "event failed"}>
            <b>{toolWord(one.call.tool)}</b> <span class="phrase">{callPhrase(one.call)}</span>{" "}
            <span class="outcome">{callOutcome(one)}</span>
          </span>
        ))}
        {hidden > 0 ? <span class="event">and {plural(hidden, "more call")}</span> : null}
        {isEdited ? (
          <span class="event">
            <b>prune</b> <span class="phrase">{plural(turn.prunedChunks, "chunk")}</span>{" "}
            <span class="outcome">{count(freed)} tokens freed</span>
          </span>
        ) : null}
        {turn.errors.slice(0, 2).map((message) => (
          <span key={message} class="event failed">
            {message.slice(0, SAID_UNITS_MAX)}
          </span>
        ))}
        {turn.number === run.turns.at(-1)?.number && run.result !== undefined ? (
          <span class="event">
            {plural(run.result.documents.length, "document")} in the list, {run.result.outcome}
          </span>
        ) : null}
        <UsageBar turn={turn} limit={run.budget.limit} soft={run.budget.soft} />
      </span>
    </button>
  );
}

function UsageBar({ turn, limit, soft }: { turn: Turn; limit: number; soft: number }): JSX.Element {
  const prompt = turn.decisions.at(-1)?.promptTokens ?? 0;
  const used = turn.budget?.used ?? prompt;
  const share = (tokens: number): string => `${Math.min(100, (tokens / limit) * 100)}%`;
  return (
    <span class="usage">
      <span class="track" aria-hidden="true">
        <span class={used >= soft ? "part over" : "part"} style={{ width: share(used) }} />
      </span>
      <span class="tokens">
        {count(used)}
        <span class="unseen"> tokens in use</span>
      </span>
    </span>
  );
}
