import type { JSX } from "preact";
import type { DecisionEvent, EditEvent } from "../../../src/record/events.ts";
import type { ChunkLife } from "../model/lives.ts";
import type { Run } from "../model/load.ts";
import { callOutcome, callPhrase, type Turn, type TurnCall, toolWord } from "../model/turns.ts";
import { count, duration, plural } from "./format.ts";

interface TurnPanelProps {
  readonly run: Run;
  readonly turn: Turn;
  readonly lifeOf: ReadonlyMap<string, ChunkLife>;
  readonly onChunk: (key: string) => void;
}

/** Everything that happened in one turn. */
export function TurnPanel({ run, turn, lifeOf, onChunk }: TurnPanelProps): JSX.Element {
  const taken = turn.decisions.at(-1);
  // What was pruned stands above, chunk by chunk.
  const calls = turn.calls.filter(
    ({ call, result }) => call.tool !== "prune_chunks" || turn.prunedChunks === 0 || result?.error !== undefined,
  );
  return (
    <article class="turn-detail">
      <header class="panel-head">
        <h2>Turn {turn.number}</h2>
        <p class="facts">
          {count(taken?.promptTokens ?? 0)} tokens seen · {count(taken?.completionTokens ?? 0)} written ·{" "}
          {duration(turn.milliseconds)}
          {turn.decisions.length > 1 ? ` · ${plural(turn.decisions.length, "attempt")}` : ""}
        </p>
      </header>
      {turn.decisions.map((decision) => (
        <Said key={decision.attempt} decision={decision} isLast={decision === taken} />
      ))}
      {turn.edits.map((edit) => (
        <Edit key={edit.seq} edit={edit} lifeOf={lifeOf} onChunk={onChunk} />
      ))}
      {calls.map((call) => (
        <Call key={call.call.id} call={call} lifeOf={lifeOf} turn={turn.number} onChunk={onChunk} />
      ))}
      {turn.notices.map((notice) => (
        <section key={notice.seq} class="block notice">
          <h3>
            Notice{" "}
            <span class="aside">{notice.shown === "never" ? "not shown to the policy" : "shown to the policy"}</span>
          </h3>
          <p class="corpus-text">{notice.message}</p>
        </section>
      ))}
      {turn.budget === undefined ? null : (
        <p class="facts">
          After the turn: {count(turn.budget.used)} of {count(run.budget.limit)} tokens in use
          {turn.budget.reusableTokens > 0
            ? `; ${count(turn.budget.reusableTokens)} of the prompt could come from a cache`
            : ""}
        </p>
      )}
    </article>
  );
}

function Said({ decision, isLast }: { decision: DecisionEvent; isLast: boolean }): JSX.Element | null {
  const reasoning = decision.reasoning?.trim() ?? "";
  const text = decision.text?.trim() ?? "";
  if (reasoning === "" && text === "" && decision.error === undefined && isLast) return null;
  return (
    <section class={isLast ? "block said" : "block said refused"}>
      {isLast ? null : <h3>Attempt {decision.attempt}, not accepted</h3>}
      {decision.error === undefined ? null : <p class="failed">{decision.error.message}</p>}
      {reasoning === "" ? null : (
        <details open>
          <summary>Reasoning</summary>
          <p class="corpus-text">{reasoning}</p>
        </details>
      )}
      {text === "" ? null : <p class="corpus-text">{text}</p>}
    </section>
  );
}

interface ChunkListProps {
  readonly lifeOf: ReadonlyMap<string, ChunkLife>;
  readonly onChunk: (key: string) => void;
}

function Edit({ edit, lifeOf, onChunk }: ChunkListProps & { edit: EditEvent }): JSX.Element {
  const by =
    edit.by === "policy"
      ? "by the policy"
      : edit.by === "oldest"
        ? "the oldest, by the harness"
        : "in an emergency, by the harness";
  return (
    <section class="block edit">
      <h3>
        Pruned {plural(edit.pruned.length, "chunk")}{" "}
        <span class="aside">
          {by}, {count(edit.tokensFreed)} tokens freed
        </span>
      </h3>
      <ul class="chunks pruned">
        {edit.pruned.map((key) => (
          <ChunkItem key={key} chunkKey={key} life={lifeOf.get(key)} onChunk={onChunk} />
        ))}
      </ul>
      {edit.unknown.length === 0 ? null : <p class="failed">Not in the context: {edit.unknown.join(", ")}</p>}
    </section>
  );
}

function Call({ call, lifeOf, turn, onChunk }: ChunkListProps & { call: TurnCall; turn: number }): JSX.Element {
  const { result } = call;
  const isFresh = (key: string): boolean => lifeOf.get(key)?.moments[0]?.turn === turn;
  return (
    <section class="block call">
      <h3>
        <b class="tool">{toolWord(call.call.tool)}</b> <span class="phrase">{callPhrase(call.call)}</span>{" "}
        <span class="aside">{callOutcome(call)}</span>
      </h3>
      {result?.error === undefined ? null : <p class="failed">{result.error.message}</p>}
      {result?.message === undefined ? null : <p class="corpus-text">{result.message}</p>}
      {result?.matchesTotal === undefined ? null : (
        <p class="facts">
          {plural(result.matchesTotal, "match").replace("matchs", "matches")} in{" "}
          {plural(result.documentsTotal ?? 0, "document")}
        </p>
      )}
      {result === undefined || result.hits.length === 0 ? null : (
        <ul class="chunks">
          {result.hits.map(({ key, match }) => (
            <ChunkItem
              key={key}
              chunkKey={key}
              life={lifeOf.get(key)}
              note={isFresh(key) ? undefined : "again"}
              match={match?.text}
              onChunk={onChunk}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

interface ChunkItemProps {
  readonly chunkKey: string;
  readonly life: ChunkLife | undefined;
  readonly note?: string | undefined;
  readonly match?: string | undefined;
  readonly onChunk: (key: string) => void;
}

function ChunkItem({ chunkKey, life, note, match, onChunk }: ChunkItemProps): JSX.Element {
  if (life === undefined) return <li class="missing">{chunkKey.split("\u0000").at(-1)}</li>;
  const { chunk, shownId, inResult } = life;
  return (
    <li>
      <button type="button" class="chunk" onClick={() => onChunk(chunkKey)}>
        <code>{shownId}</code>
        <span class="title">
          <bdi>{chunk.title === "" ? chunk.documentId : chunk.title}</bdi>
          <ChunkHeading life={life} />
        </span>
        <span class="marks">
          {note === undefined ? null : <em>{note}</em>}
          {inResult ? <em class="kept">in the list</em> : null}
          {count(chunk.tokens)}
          <span class="unseen"> tokens</span>
        </span>
      </button>
      {match === undefined ? null : <p class="match corpus-text">{match.trim()}</p>}
    </li>
  );
}

/** The heading that a chunk stands under, where it is another one than the title. */
export function ChunkHeading({ life }: { life: ChunkLife }): JSX.Element | null {
  const heading = life.chunk.headings.at(-1) ?? "";
  return heading === "" || heading === life.chunk.title ? null : <bdi class="heading">{heading}</bdi>;
}
