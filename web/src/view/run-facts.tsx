import type { JSX } from "preact";
import { recordedProfile } from "../../../src/agent/replay-record.ts";
import { wasPruned } from "../model/lives.ts";
import type { Run } from "../model/load.ts";
import { count, moment, stopWords } from "./format.ts";

/** Where a run comes from, in one line. */
export function RunFacts({ run }: { run: Run }): JSX.Element {
  const { header, torn } = run.record;
  const profile = recordedProfile(run.record);
  const model = header.policy.model === undefined ? "" : ` ${header.policy.model}`;
  const facts = [
    header.runId,
    `policy ${header.policy.name}${model}`,
    `profile ${profile.name}`,
    `${count(profile.budget.limit)} tokens, pruning ${profile.pruning}`,
    header.corpora.map(({ name }) => name).join(", "),
    moment(header.at),
    run.result === undefined ? "did not end" : stopWords(run.result.stopReason),
    header.parent === undefined ? "" : `a rollout of ${header.parent}`,
    torn ? "its last line is torn" : "",
  ];
  return <p class="facts">{facts.filter((fact) => fact !== "").join(" · ")}</p>;
}

/** The run in four numbers. */
export function RunNumbers({ run }: { run: Run }): JSX.Element {
  const pruned = run.lives.filter(wasPruned).length;
  const numbers: readonly (readonly [string, string | number])[] = [
    ["turns", run.turns.length],
    ["chunks shown", run.lives.length],
    ["pruned", pruned],
    ["documents", run.result?.documents.length ?? "–"],
  ];
  return (
    <dl class="numbers">
      {numbers.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{typeof value === "number" ? count(value) : value}</dd>
        </div>
      ))}
    </dl>
  );
}
