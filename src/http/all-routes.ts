import { describeApi } from "./openapi.ts";
import type { Route } from "./route.ts";
import { corporaRoute, findRoute, readRoute, recentRoute } from "./routes/queries.ts";
import { runRoute, runsRoute } from "./routes/runs.ts";
import { briefRoute, searchRoute } from "./routes/search.ts";
import { healthRoute, metricsRoute, openApiRoute, readyRoute, rootRoute } from "./routes/state.ts";

const DESCRIBED: readonly Route[] = [
  searchRoute,
  findRoute,
  readRoute,
  briefRoute,
  recentRoute,
  corporaRoute,
  runsRoute,
  runRoute,
  healthRoute,
  readyRoute,
  metricsRoute,
  rootRoute,
];

/** Everything that the server answers. */
export const ROUTES: readonly Route[] = [...DESCRIBED, openApiRoute(() => describeApi(ROUTES))];
