import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Run } from "../model/load.ts";
import { BudgetChart } from "./budget-chart.tsx";
import type { ChooseTurn } from "./choose-turn.ts";
import { ChunkCard } from "./chunk-card.tsx";
import { ChunkGrid } from "./chunk-grid.tsx";
import { ContextPanel } from "./context-panel.tsx";
import { useContexts, useMedia } from "./hooks.ts";
import { ResultPanel } from "./result-panel.tsx";
import { RunNumbers } from "./run-facts.tsx";
import { Tabs } from "./tabs.tsx";
import { Timeline } from "./timeline.tsx";
import { TurnPanel } from "./turn-panel.tsx";

/** Below this the turns are a tab of their own. */
const NARROW = "(max-width: 860px)";

export type View = "turns" | "turn" | "chunks" | "context" | "result";
const VIEWS: readonly (readonly [View, string])[] = [
  ["turn", "Turn"],
  ["chunks", "Chunks"],
  ["context", "Context"],
  ["result", "Result"],
];

interface RunViewProps {
  readonly run: Run;
  readonly turn: number;
  readonly view: View;
  readonly onTurn: ChooseTurn;
  readonly onView: (view: View) => void;
}

/** One run: its budget on top, its turns on the left, one of four views beside them. */
export function RunView({ run, turn, view, onTurn, onView }: RunViewProps): JSX.Element {
  const isNarrow = useMedia(NARROW);
  const shown = view === "turns" && !isNarrow ? "turn" : view;
  const tabs = isNarrow ? ([["turns", "Turns"], ...VIEWS] as const) : VIEWS;
  return (
    <main class="run">
      <section class="summary" aria-label="Summary">
        <RunNumbers run={run} />
        <BudgetChart budget={run.budget} turn={turn} onTurn={onTurn} />
      </section>
      <div class="work">
        {isNarrow ? null : <Timeline run={run} turn={turn} onTurn={onTurn} />}
        <div class="views">
          <Tabs tabs={tabs} chosen={shown} onChoose={onView} />
          <Panel run={run} turn={turn} view={shown} onTurn={onTurn} onView={onView} />
        </div>
      </div>
    </main>
  );
}

function Panel({ run, turn, view, onTurn, onView }: RunViewProps): JSX.Element {
  const contexts = useContexts(run);
  const [isPrunedShown, setPrunedShown] = useState(false);
  const [chosen, setChosen] = useState<string>();
  const lifeOf = useMemo(() => new Map(run.lives.map((life) => [life.chunk.key, life])), [run]);
  const current = run.turns.find(({ number }) => number === turn) ?? run.turns[0];
  const life = chosen === undefined ? undefined : lifeOf.get(chosen);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "p") setPrunedShown((isShown) => !isShown);
      if (event.key === "Escape") setChosen(undefined);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <div id="panel" class={`panel on-${view}`} role="tabpanel" aria-labelledby={`tab-${view}`} tabIndex={0}>
      {view === "turns" ? (
        <Timeline
          run={run}
          turn={turn}
          onTurn={(next) => {
            onTurn(next);
            onView("turn");
          }}
        />
      ) : null}
      {view === "turn" && current !== undefined ? (
        <TurnPanel run={run} turn={current} lifeOf={lifeOf} onChunk={setChosen} />
      ) : null}
      {view === "turn" && current === undefined ? <p class="facts">The record holds no decision.</p> : null}
      {view === "chunks" ? (
        <ChunkGrid run={run} turn={turn} chosen={chosen} onTurn={onTurn} onChunk={setChosen} />
      ) : null}
      {view === "context" ? (
        <ContextPanel contexts={contexts} turn={turn} isPrunedShown={isPrunedShown} onPrunedShown={setPrunedShown} />
      ) : null}
      {view === "result" ? <ResultPanel run={run} /> : null}
      {life !== undefined && (view === "turn" || view === "chunks") ? (
        <ChunkCard life={life} onClose={() => setChosen(undefined)} />
      ) : null}
    </div>
  );
}

/** Whether a key belongs to what has the focus. */
export function isTyping({ target }: KeyboardEvent): boolean {
  return target instanceof HTMLElement && target.matches("input:not([type=checkbox]), textarea, select");
}
