import { readFile } from "node:fs/promises";
import { z } from "zod";
import { VERSION } from "../../core/version.ts";
import { healthState } from "../answers.ts";
import { json, type Route, route } from "../route.ts";

const HTML = "text/html";
const PLAIN = "text/plain; charset=utf-8";

/** The search page for browsers, which needs no token itself; a few words for everybody else. */
export const rootRoute = route({
  method: "GET",
  path: "/",
  operation: "root",
  summary: "The search page for browsers, and in a few words what this is for everybody else.",
  isOpen: true,
  answers: { "text/html": undefined, "text/plain": undefined },
  async handle({ accepts }) {
    const page = accepts(HTML) ? await searchPage() : undefined;
    if (page !== undefined) return { kind: "text", type: `${HTML}; charset=utf-8`, text: page };
    const text = `Winnow ${VERSION}\n\nThe API is described at /openapi.json. Example: GET /v1/corpora\n`;
    return { kind: "text", type: PLAIN, text };
  },
});

/** Undefined in a copy that was not built. */
async function searchPage(): Promise<string | undefined> {
  return readFile(new URL("./web/search.html", import.meta.url), "utf8").catch(() => undefined);
}

export const healthRoute = route({
  method: "GET",
  path: "/healthz",
  operation: "health",
  summary: "Whether the process answers.",
  isOpen: true,
  answers: { "application/json": healthState },
  async handle() {
    return json({ status: "ok" });
  },
});

export const readyRoute = route({
  method: "GET",
  path: "/readyz",
  operation: "ready",
  summary: "Whether there is a corpus to ask and the server is not shutting down; 503 otherwise.",
  isOpen: true,
  answers: { "application/json": healthState },
  errors: [503],
  async handle(_call, { workspace, isClosing }) {
    const isReady =
      !isClosing() &&
      (await workspace.places().then(
        (places) => places.length > 0,
        () => false,
      ));
    return isReady ? json({ status: "ready" }) : json({ status: "unavailable" }, 503);
  },
});

export const metricsRoute = route({
  method: "GET",
  path: "/metrics",
  operation: "metrics",
  summary: "Counts and times for Prometheus.",
  answers: { "text/plain": undefined },
  async handle(_call, { metrics }) {
    return { kind: "text", type: "text/plain; version=0.0.4; charset=utf-8", text: metrics.text() };
  },
});

/** The description of all routes, its own included. */
export function openApiRoute(describe: () => unknown): Route {
  return route({
    method: "GET",
    path: "/openapi.json",
    operation: "openapi",
    summary: "This description, in OpenAPI 3.1.",
    isOpen: true,
    answers: { "application/json": z.looseObject({ openapi: z.string() }) },
    async handle() {
      return json(describe());
    },
  });
}
