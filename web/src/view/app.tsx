import type { JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { WinnowError } from "../../../src/core/errors.ts";
import { FILE_BYTES_MAX, type Run, runFromText } from "../model/load.ts";
import type { ChooseTurn } from "./choose-turn.ts";
import { Compare } from "./compare.tsx";
import { DropArea, EmptyPage, FileButton } from "./drop-zone.tsx";
import { Guard } from "./guard.tsx";
import { Help } from "./help.tsx";
import { type Problem, ProblemNote, toProblem } from "./problem.tsx";
import { RunFacts } from "./run-facts.tsx";
import { isTyping, RunView, type View } from "./run-view.tsx";

/** Runs that are shown side by side at most. */
const RUNS_MAX = 2;
const VIEW_KEYS: Readonly<Record<string, View>> = { 1: "turn", 2: "chunks", 3: "context", 4: "result" };

interface AppProps {
  readonly embedded: readonly Run[];
  readonly problem: Problem | undefined;
}

export function App({ embedded, problem: found }: AppProps): JSX.Element {
  const [runs, setRuns] = useState(embedded);
  /** Counts what was opened, so that each begins anew. */
  const [opened, setOpened] = useState(0);
  const [shown, setShown] = useState<number | "both">(embedded.length > 1 ? "both" : 0);
  const [problem, setProblem] = useState(found);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const place = usePlace(runs);
  const { turn, view, setTurn, setView } = place;
  const openFiles = useCallback(
    (files: readonly File[]) => {
      readRuns(files).then(
        (read) => {
          if (read.length === 0) return;
          setRuns(read);
          setOpened((count) => count + 1);
          setShown(read.length > 1 ? "both" : 0);
          setTurn(1);
          setProblem(undefined);
        },
        (error: unknown) => setProblem(toProblem(error)),
      );
    },
    [setTurn],
  );
  const last = Math.max(1, ...runs.map((run) => run.turns.at(-1)?.number ?? 1));
  useKeys({ last, setTurn, setView, openHelp: () => setHelpOpen(true) });
  const run = shown === "both" ? undefined : runs[shown];
  const [left, right] = runs;
  const isSideBySide = shown === "both" && left !== undefined && right !== undefined;
  useEffect(() => {
    document.title = run === undefined ? "Winnow run viewer" : `${run.record.header.query} · Winnow`;
  }, [run]);
  return (
    <div class="page">
      <header class="top">
        <span class="brand">Winnow</span>
        <div class="title">
          {run === undefined ? null : <RunTitle run={run} />}
          {isSideBySide ? <CompareTitle left={left} right={right} /> : null}
        </div>
        <div class="actions">
          {runs.length > 1 && !isSideBySide ? (
            <button type="button" class="plain" onClick={() => setShown("both")}>
              Side by side
            </button>
          ) : null}
          {runs.length > 0 ? <FileButton onFiles={openFiles} text="Open…" /> : null}
          <button type="button" class="plain" aria-label="Keys" onClick={() => setHelpOpen(true)}>
            ?
          </button>
        </div>
      </header>
      {problem === undefined ? null : <ProblemNote problem={problem} onClose={() => setProblem(undefined)} />}
      <Guard key={opened}>
        {isSideBySide ? <Compare runs={[left, right]} turn={turn} onTurn={setTurn} onOpen={setShown} /> : null}
        {run !== undefined ? (
          <RunView key={run.name} run={run} turn={turn} view={view} onTurn={setTurn} onView={setView} />
        ) : null}
      </Guard>
      {runs.length === 0 ? <EmptyPage onFiles={openFiles} /> : null}
      <p class="unseen" aria-live="polite">
        {runs.length > 0 ? `Turn ${turn}` : ""}
      </p>
      <DropArea onFiles={openFiles} />
      {isHelpOpen ? <Help onClose={() => setHelpOpen(false)} /> : null}
    </div>
  );
}

function RunTitle({ run }: { run: Run }): JSX.Element {
  return (
    <>
      <h1>
        <bdi>{run.record.header.query}</bdi>
      </h1>
      <RunFacts run={run} />
    </>
  );
}

function CompareTitle({ left, right }: { left: Run; right: Run }): JSX.Element {
  const { query } = left.record.header;
  if (query !== right.record.header.query) return <h1>Two runs side by side</h1>;
  return (
    <>
      <h1>
        <bdi>{query}</bdi>
      </h1>
      <p class="facts">Two runs side by side</p>
    </>
  );
}

async function readRuns(files: readonly File[]): Promise<readonly Run[]> {
  if (files.length > RUNS_MAX) {
    throw new WinnowError("invalid_argument", `${files.length} files were given.`, {
      hint: "Give one record, or two to see them side by side.",
    });
  }
  const runs: Run[] = [];
  for (const file of files) {
    if (file.size > FILE_BYTES_MAX) throw new WinnowError("limit_exceeded", `${file.name} is larger than any record.`);
    runs.push(runFromText(file.name, await file.text()));
  }
  return runs;
}

interface Place {
  readonly turn: number;
  readonly view: View;
  readonly setTurn: ChooseTurn;
  readonly setView: (view: View) => void;
}

/** The turn and view that are looked at. They stand in the address, so that a reload or a copied address finds them. */
function usePlace(runs: readonly Run[]): Place {
  const given = new URLSearchParams(location.hash.slice(1));
  const last = Math.max(1, ...runs.map((run) => run.turns.at(-1)?.number ?? 1));
  const [turn, setTurn] = useState(() => Math.max(1, Math.min(last, Math.trunc(Number(given.get("turn"))) || 1)));
  const [view, setView] = useState<View>(() => {
    const wanted = given.get("view");
    return Object.values(VIEW_KEYS).find((one) => one === wanted) ?? "turn";
  });
  useEffect(() => {
    if (runs.length > 0) history.replaceState(null, "", `#turn=${turn}&view=${view}`);
  }, [turn, view, runs]);
  return { turn, view, setTurn, setView };
}

interface Keys {
  readonly last: number;
  readonly setTurn: ChooseTurn;
  readonly setView: (view: View) => void;
  readonly openHelp: () => void;
}

function useKeys({ last, setTurn, setView, openHelp }: Keys): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector("dialog[open]") !== null) return;
      const go = (to: (turn: number) => number): void => {
        event.preventDefault();
        setTurn((turn) => Math.max(1, Math.min(last, to(turn))));
      };
      const inTurns = event.target instanceof Element && event.target.closest(".timeline") !== null;
      const { key } = event;
      const view = VIEW_KEYS[key];
      if (key === "j" || key === "ArrowRight" || (inTurns && key === "ArrowDown")) go((turn) => turn + 1);
      else if (key === "k" || key === "ArrowLeft" || (inTurns && key === "ArrowUp")) go((turn) => turn - 1);
      else if (key === "Home") go(() => 1);
      else if (key === "End") go(() => last);
      else if (key === "?") openHelp();
      else if (view !== undefined) setView(view);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [last, setTurn, setView, openHelp]);
}
