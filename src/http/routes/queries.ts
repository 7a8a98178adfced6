import { through } from "../../core/gate.ts";
import {
  corporaOfWorkspace,
  findInWorkspace,
  readInWorkspace,
  recentInWorkspace,
} from "../../features/ask-workspace.ts";
import { corporaList, documentText, foundDocuments, recent } from "../answers.ts";
import { FIND_DOCUMENTS, findBody, readQuery, recentQuery } from "../requests.ts";
import { json, route } from "../route.ts";

/** UTF-16 units of one answer; longer documents come in parts. */
const TEXT_UNITS_MAX = 400_000;

export const findRoute = route({
  method: "POST",
  path: "/v1/find",
  operation: "find",
  summary: "One query, without an agent: words, a phrase or a pattern.",
  body: findBody,
  answers: { "application/json": foundDocuments },
  errors: [404, 429, 503],
  async handle({ body, workspace, signal, describe }, { queries, metrics }) {
    const { k, ...asked } = body;
    describe(asked.query);
    return through(queries, signal, async () => {
      const started = performance.now();
      const found = await findInWorkspace(workspace, { ...asked, documents: k ?? FIND_DOCUMENTS, signal });
      metrics.find.observe((performance.now() - started) / 1000);
      return json(found);
    });
  },
});

export const readRoute = route({
  method: "GET",
  path: "/v1/read",
  operation: "read",
  summary: "A document as it was indexed, or some of its lines. Long ones come in parts.",
  query: readQuery,
  answers: { "application/json": documentText },
  errors: [404, 429, 503],
  async handle({ query, workspace, signal, describe }, { queries }) {
    describe(query.document);
    return through(queries, signal, async () =>
      json(await readInWorkspace(workspace, { ...query, unitsMax: TEXT_UNITS_MAX })),
    );
  },
});

export const recentRoute = route({
  method: "GET",
  path: "/v1/recent",
  operation: "recent",
  summary: "What moved since a date, by repository and tag, the most recent first.",
  query: recentQuery,
  answers: { "application/json": recent },
  errors: [404, 429, 503],
  async handle({ query, workspace, signal }, { queries }) {
    const { k, ...asked } = query;
    return through(queries, signal, async () =>
      json(await recentInWorkspace(workspace, { ...asked, documents: k, signal })),
    );
  },
});

export const corporaRoute = route({
  method: "GET",
  path: "/v1/corpora",
  operation: "corpora",
  summary: "What can be searched, with size, age and metadata keys.",
  answers: { "application/json": corporaList },
  errors: [404, 429, 503],
  async handle({ workspace, signal }, { queries }) {
    return through(queries, signal, async () =>
      json({ schema: "corpora/1", corpora: await corporaOfWorkspace(workspace) }),
    );
  },
});
