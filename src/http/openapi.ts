import { z } from "zod";
import { VERSION } from "../core/version.ts";
import { errorAnswer } from "./answers.ts";
import type { Route } from "./route.ts";

const ANY_REQUEST_ERRORS = [400, 401, 403, 413, 499, 500] as const;
const ERROR_NAMES: Readonly<Record<number, string>> = {
  400: "Something that was asked cannot be used.",
  401: "A token is needed.",
  403: "The caller may not ask this, or the request comes from a page of another site.",
  404: "There is no such corpus, document or run.",
  413: "The body is too long.",
  429: "As much is running and waiting as the server takes; Retry-After says when to ask again.",
  499: "The caller went away.",
  500: "A fault of the server.",
  502: "A model that the operator configured cannot be reached.",
  503: "The server is shutting down.",
};

type Description = Record<string, unknown>;

/** OpenAPI 3.1, generated from the schemas that check requests and that the tests check answers with. */
export function describeApi(routes: readonly Route[]): Description {
  const paths: Record<string, Record<string, Description>> = {};
  for (const route of routes) {
    const operations = paths[route.path] ?? {};
    operations[route.method.toLowerCase()] = describeRoute(route);
    paths[route.path] = operations;
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Winnow",
      version: VERSION,
      description: "A search agent for your own corpora. Answers are the objects that the commands print with --json.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: { Error: schemaOf(errorAnswer, "output") },
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}

function describeRoute(route: Route): Description {
  const { operation, summary, body, query, answers, isOpen = false } = route;
  const errors = [...new Set([...ANY_REQUEST_ERRORS, ...(route.errors ?? [])])].sort((a, b) => a - b);
  return {
    operationId: operation,
    summary,
    // An empty requirement: servers on their own machine may do without.
    security: isOpen ? [] : [{ token: [] }, {}],
    ...parameters(route.path, query),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: schemaOf(body, "input") } } } }),
    responses: {
      "200": { description: "Done.", content: contents(answers) },
      ...Object.fromEntries(errors.map((status) => [String(status), errorResponse(status)])),
    },
  };
}

function contents(answers: Route["answers"]): Description {
  const entries = Object.entries(answers).map(([type, schema]) => [
    type,
    { schema: schema === undefined ? { type: "string" } : schemaOf(schema, "output") },
  ]);
  return Object.fromEntries(entries);
}

function errorResponse(status: number): Description {
  return {
    description: ERROR_NAMES[status] ?? "An error.",
    content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
  };
}

function parameters(path: string, query: z.ZodObject | undefined): Description {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    ...{ name, in: "path", required: true, schema: { type: "string" } },
  }));
  const schema = query === undefined ? undefined : schemaOf(query, "input");
  const properties = Object.entries((schema?.["properties"] ?? {}) as Record<string, Description>);
  const required = new Set((schema?.["required"] ?? []) as readonly string[]);
  const inQuery = properties.map(([name, { description, ...property }]) => ({
    ...{ name, in: "query", required: required.has(name), schema: property },
    ...(description === undefined ? {} : { description }),
    ...(property["type"] === "array" ? { style: "form", explode: true } : {}),
  }));
  const all = [...inPath, ...inQuery];
  return all.length === 0 ? {} : { parameters: all };
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Description {
  const { $schema: _dialect, ...described } = z.toJSONSchema(schema, { target: "draft-2020-12", io });
  return described;
}
