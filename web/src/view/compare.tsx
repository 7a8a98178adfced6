import type { JSX } from "preact";
import { pairedDocuments, pairedFigures } from "../model/compare.ts";
import type { Run } from "../model/load.ts";
import { BudgetChart } from "./budget-chart.tsx";
import type { ChooseTurn } from "./choose-turn.ts";
import { count } from "./format.ts";
import { Overview } from "./overview.tsx";
import { RunFacts } from "./run-facts.tsx";
import { Timeline } from "./timeline.tsx";

const NAMES = ["A", "B"] as const;

interface CompareProps {
  readonly runs: readonly [Run, Run];
  readonly turn: number;
  readonly onTurn: ChooseTurn;
  readonly onOpen: (index: number) => void;
}

/** Two runs side by side: what they took, what they returned, and their turns. */
export function Compare({ runs, turn, onTurn, onOpen }: CompareProps): JSX.Element {
  const isOneQuestion = runs[0].record.header.query === runs[1].record.header.query;
  return (
    <main class="compare">
      <Figures runs={runs} />
      <Documents runs={runs} />
      {runs.map((run, i) => {
        const last = run.turns.at(-1)?.number ?? 1;
        const own = Math.min(turn, last);
        return (
          <section key={i} class="side" aria-label={`Run ${NAMES[i]}`}>
            <header class="panel-head">
              <h2>
                Run {NAMES[i]}
                {isOneQuestion ? null : (
                  <>
                    : <bdi>{run.record.header.query}</bdi>
                  </>
                )}
              </h2>
              <button type="button" class="plain" aria-label={`Open run ${NAMES[i]} alone`} onClick={() => onOpen(i)}>
                Open it alone
              </button>
              <RunFacts run={run} />
            </header>
            <BudgetChart
              budget={run.budget}
              turn={own}
              onTurn={onTurn}
              label={`Prompt tokens of run ${NAMES[i]} by turn`}
            />
            <Overview run={run} turn={own} onTurn={onTurn} />
            <Timeline run={run} turn={own} onTurn={onTurn} label={`Turns of run ${NAMES[i]}`} />
          </section>
        );
      })}
    </main>
  );
}

function Figures({ runs }: { runs: readonly [Run, Run] }): JSX.Element {
  return (
    <table class="figures">
      <caption>What they took</caption>
      <thead>
        <tr>
          <th scope="col">
            <span class="unseen">Figure</span>
          </th>
          <th scope="col">A</th>
          <th scope="col">B</th>
          <th scope="col">B − A</th>
        </tr>
      </thead>
      <tbody>
        {pairedFigures(...runs).map(({ name, left, right }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{left === undefined ? "–" : count(left)}</td>
            <td>{right === undefined ? "–" : count(right)}</td>
            <td class="difference">{left === undefined || right === undefined ? "–" : difference(right - left)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function difference(value: number): string {
  const rounded = Math.round(value * 10) / 10;
  if (rounded === 0) return "0";
  return rounded > 0 ? `+${count(rounded)}` : `−${count(-rounded)}`;
}

function Documents({ runs }: { runs: readonly [Run, Run] }): JSX.Element {
  const pairs = pairedDocuments(...runs);
  const shared = pairs.filter(({ left, right }) => left !== undefined && right !== undefined).length;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="ranks" tabIndex={0} aria-label="What they returned">
      <table>
        <caption>
          What they returned: {shared} of {pairs.length} documents in both
        </caption>
        <thead>
          <tr>
            <th scope="col">A</th>
            <th scope="col">B</th>
            <th scope="col">Document</th>
          </tr>
        </thead>
        <tbody>
          {pairs.map(({ id, title, left, right }) => (
            <tr key={id} class={left !== undefined && right !== undefined ? "both" : ""}>
              <td>{left ?? <span class="none">–</span>}</td>
              <td>{right ?? <span class="none">–</span>}</td>
              <th scope="row">
                <bdi title={id}>{title}</bdi>
              </th>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
