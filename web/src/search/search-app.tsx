import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Run } from "../model/load.ts";
import { BudgetChart } from "../view/budget-chart.tsx";
import { ProblemNote } from "../view/problem.tsx";
import { RunFacts, RunNumbers } from "../view/run-facts.tsx";
import { RunView, type View } from "../view/run-view.tsx";
import { Timeline } from "../view/timeline.tsx";
import type { Api } from "./api.ts";
import type { Picture } from "./live-record.ts";
import { PastRuns } from "./past-runs.tsx";
import { SearchForm } from "./search-form.tsx";
import { TokenForm } from "./token-form.tsx";
import { type SearchState, useSearch } from "./use-search.ts";

/** The page of `winnow serve`: ask, watch the run, read its documents and how they were found. */
export function SearchApp({ api }: { api: Api }): JSX.Element {
  const search = useSearch(api);
  const { state, offer, problem, token } = search;
  if (token !== "unneeded") {
    return (
      <div class="page">
        <TokenForm wasRefused={token === "refused"} onToken={search.useToken} />
      </div>
    );
  }
  return (
    <div class="page search-page">
      <header class="top">
        <button type="button" class="brand home" onClick={search.home}>
          Winnow
        </button>
        <h1 class="unseen">Search</h1>
        <SearchForm
          corpora={offer?.corpora ?? []}
          isRunning={state.kind === "running"}
          query={queryOf(state)}
          onAsk={search.ask}
          onStop={search.stop}
        />
      </header>
      {problem === undefined ? null : <ProblemNote problem={problem} onClose={search.dismiss} />}
      {state.kind === "idle" ? <PastRuns runs={offer?.past} onOpen={search.open} /> : null}
      {state.kind === "running" ? <LiveRun picture={state.picture} /> : null}
      {state.kind === "done" ? <DoneRun key={state.run.name} run={state.run} /> : null}
    </div>
  );
}

function queryOf(state: SearchState): string {
  if (state.kind === "idle") return "";
  return state.kind === "running" ? state.query : state.run.record.header.query;
}

/** A run while it goes: its budget and its turns grow. */
function LiveRun({ picture: { run, writing } }: { picture: Picture }): JSX.Element {
  const last = run?.turns.at(-1)?.number ?? 1;
  return (
    <main class="run live" aria-busy="true">
      <p class="unseen" role="status">
        {run === undefined ? "Searching" : `Turn ${last}`}
      </p>
      {run === undefined || run.turns.length === 0 ? (
        <p class="facts waiting">Searching …</p>
      ) : (
        <>
          <section class="summary" aria-label="Summary">
            <RunNumbers run={run} />
            <BudgetChart budget={run.budget} turn={last} onTurn={() => undefined} />
          </section>
          <Timeline run={run} turn={last} onTurn={() => undefined} />
        </>
      )}
      {writing === "" ? null : <p class="facts writing corpus-text">{writing}</p>}
    </main>
  );
}

function DoneRun({ run }: { run: Run }): JSX.Element {
  const [turn, setTurn] = useState(1);
  const [view, setView] = useState<View>("result");
  return (
    <>
      <div class="run-line">
        <RunFacts run={run} />
      </div>
      <RunView run={run} turn={turn} view={view} onTurn={setTurn} onView={setView} />
    </>
  );
}
