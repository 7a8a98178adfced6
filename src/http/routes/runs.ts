import { through } from "../../core/gate.ts";
import { pathOfRun, recordAt, runsOfWorkspace } from "../../features/workspace-runs.ts";
import { runRecord, runsList } from "../answers.ts";
import { runQuery, runsQuery } from "../requests.ts";
import { json, route } from "../route.ts";

const JSON_LINES = "application/jsonl";

export const runsRoute = route({
  method: "GET",
  path: "/v1/runs",
  operation: "runs",
  summary: "The recorded runs over corpora that the caller may ask, the newest first, rollouts behind their parent.",
  query: runsQuery,
  answers: { "application/json": runsList },
  errors: [404, 429, 503],
  async handle({ query, caller, signal }, { workspace, queries }) {
    return through(queries, signal, async () =>
      json({ schema: "runs/1", ...(await runsOfWorkspace(workspace, caller.corpora, query.n)) }),
    );
  },
});

export const runRoute = route({
  method: "GET",
  path: "/v1/runs/{id}",
  operation: "run",
  summary: "The record of a run: everything that was decided, shown and pruned.",
  query: runQuery,
  answers: { "application/json": runRecord, [JSON_LINES]: undefined },
  errors: [404, 429, 503],
  async handle({ query, id, caller, signal, accepts }, { workspace, queries }) {
    return through(queries, signal, async () => {
      const path = await pathOfRun(workspace, caller.corpora, id);
      const isLines = query.format === undefined ? accepts(JSON_LINES) : query.format === "jsonl";
      if (isLines) return { kind: "file", type: `${JSON_LINES}; charset=utf-8`, path };
      const { header, events, torn } = await recordAt(path);
      return json({ schema: "record/1", torn, header, events });
    });
  },
});
