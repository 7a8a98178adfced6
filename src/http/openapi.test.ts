import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ROUTES } from "./all-routes.ts";
import { describeApi } from "./openapi.ts";

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly unknown[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: unknown;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: object }>>;
}

const api = JSON.parse(JSON.stringify(describeApi(ROUTES)));
const operations = Object.entries(api.paths as Record<string, Record<string, Operation>>).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe("the description", () => {
  test("is OpenAPI 3.1 with every route in it once", () => {
    expect(api.openapi).toBe("3.1.0");
    expect(api.info).toMatchObject({ title: "Winnow", version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
    expect(operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`).sort()).toEqual(
      ROUTES.map(({ path, method }) => `${method} ${path}`).sort(),
    );
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
  });

  test("every operation says what it takes, what it answers and how it fails", () => {
    for (const { path, method, operation } of operations) {
      expect(operation.summary.length).toBeGreaterThan(10);
      expect(operation.requestBody !== undefined).toBe(method === "post");
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(["200", "400", "401", "403", "500"]));
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const inPath = (operation.parameters ?? []).filter((one) => one.in === "path");
      expect(inPath.map(({ name }) => name)).toEqual(named);
      for (const one of operation.parameters ?? []) expect(one.schema).toBeTypeOf("object");
      for (const { description, content } of Object.values(operation.responses)) {
        expect(description).not.toBe("An error.");
        expect(Object.keys(content).length).toBeGreaterThan(0);
      }
    }
  });

  test("every reference leads somewhere", () => {
    const references = [...JSON.stringify(api).matchAll(/"\$ref":"([^"]+)"/g)].map(([, target = ""]) => target);
    expect(references.length).toBeGreaterThan(0);
    for (const target of new Set(references)) {
      const found = target
        .slice(2)
        .split("/")
        .reduce<unknown>((value, key) => Reflect.get(Object(value), key), api);
      expect(found, target).toBeTypeOf("object");
    }
  });

  test("what it says of a body is what is let through", () => {
    const described = api.paths["/v1/search"].post.requestBody.content["application/json"].schema;
    const reread = z.fromJSONSchema(described);
    const checks = ROUTES.find(({ path }) => path === "/v1/search")?.body;
    for (const body of [
      { query: "a" },
      { query: "a", k: 30, where: ["a=b"], stream: true },
      { query: "" },
      { query: 7 },
      {},
      { query: "a", k: 31 },
      { query: "a", baseUrl: "http://127.0.0.1:1" },
      { query: "a", timeoutMs: 10 },
      { query: "x".repeat(8_001) },
      { query: "a", corpora: Array.from({ length: 21 }, () => "a") },
    ]) {
      const what = JSON.stringify(body).slice(0, 60);
      expect(reread.safeParse(body).success, what).toBe(checks?.safeParse(body).success);
    }
  });
});
