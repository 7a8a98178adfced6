import { expect, test } from "vitest";
import { findBoundaryViolations, findImportCycles } from "../../scripts/check/boundaries.mjs";
import { readModule } from "../../scripts/check/modules.mjs";
import { findOversized } from "../../scripts/check/sizes.mjs";

const violations = (path: string, text: string): string[] => findBoundaryViolations([readModule(path, text)]);

test.each([
  ["src/core/a.ts", 'import { x } from "../retrieval/x.ts";'],
  ["src/core/a.ts", 'import type { X } from "../record/x.ts";'],
  ["src/retrieval/lance/a.ts", 'import type { X } from "../../sources/x.ts";'],
  ["src/retrieval/a.ts", 'export { x } from "../agent/x.ts";'],
  ["src/record/a.ts", 'const x = await import("../models/x.ts");'],
  ["src/agent/a.ts", 'import { x } from "../features/x.ts";'],
  ["src/agent/a.ts", 'let x: import("../eval/x.ts").X;'],
  ["src/cli/a.ts", 'import { x } from "../retrieval/x.ts";'],
  ["src/cli/a.ts", 'const x = await import("../models/x.ts");'],
  ["src/mcp/a.ts", 'import type { X } from "../http/x.ts";'],
  ["src/eval/a.ts", 'import { x } from "../tasks/x.ts";'],
  ["src/agent/a.ts", 'import { x } from "../testing/x.ts";'],
  ["src/agent/a.ts", 'import { x } from "../../test/support/x.ts";'],
  ["src/agent/a.test.ts", 'import { x } from "../features/x.ts";'],
  ["src/utils/a.ts", "export const x = 1;"],
  ["web/src/view/a.tsx", 'import { x } from "../../../src/features/x.ts"; const y = <p>{x}</p>;'],
  ["web/src/model/a.ts", 'import type { X } from "../../../src/retrieval/x.ts";'],
  ["web/src/model/a.ts", 'import { x } from "../../../src/testing/x.ts";'],
  ["src/features/a.ts", 'import { x } from "../../web/src/model/x.ts";'],
])("%s may not hold: %s", (path, text) => {
  expect(violations(path, text)).toHaveLength(1);
});

test.each([
  [
    "src/agent/a.ts",
    'import { x } from "../retrieval/x.ts"; import { y } from "../core/y.ts"; import { z } from "./z.ts";',
  ],
  ["src/agent/a.test.ts", 'import { x } from "../testing/x.ts"; import { y } from "../../test/support/y.ts";'],
  ["src/eval/a.ts", 'import { x } from "../export/x.ts";'],
  ["src/cli/a.ts", 'import { x } from "../features/x.ts"; import { readFile } from "node:fs/promises";'],
  ["src/cli/a.ts", 'import type { X } from "../agent/x.ts"; import { type Y } from "../record/y.ts";'],
  ["src/index.ts", 'export { x } from "./core/x.ts"; export { y } from "./features/y.ts";'],
  ["web/src/view/a.tsx", 'import { x } from "../../../src/agent/x.ts"; import { y } from "../model/y.ts";'],
  ["web/src/model/a.test.ts", 'import { x } from "../../../src/testing/x.ts";'],
  ["test/e2e/a.test.ts", 'import { x } from "../../src/core/x.ts";'],
])("%s may hold: %s", (path, text) => {
  expect(violations(path, text)).toEqual([]);
});

test("a circle of value imports is found, a circle through a type or a lazy import is not", () => {
  const b = readModule("src/core/b.ts", 'import "./c.ts";');
  const c = (text: string) => readModule("src/core/c.ts", text);
  const a = readModule("src/core/a.ts", 'export { b } from "./b.ts";');
  expect(findImportCycles([a, b, c('import { a } from "./a.ts";')])).toEqual([
    "import cycle: src/core/a.ts -> src/core/b.ts -> src/core/c.ts -> src/core/a.ts",
  ]);
  expect(findImportCycles([a, b, c('import type { a } from "./a.ts"; import { type d } from "./b.ts";')])).toEqual([]);
  expect(findImportCycles([a, b, c('export const later = () => import("./a.ts");')])).toEqual([]);
});

const lines = (count: number): string => "1;\n".repeat(count);

test.each([
  [400, 0, 0],
  [401, 1, 0],
  [600, 1, 0],
  [601, 0, 1],
])("a file of %i lines gives %i warnings and %i problems", (count, warnings, problems) => {
  const found = findOversized([readModule("src/core/a.ts", lines(count))]);
  expect([found.warnings.length, found.problems.length]).toEqual([warnings, problems]);
});

test.each([
  ["function f() {\n", "}", 70, 0, 0],
  ["function f() {\n", "}", 71, 1, 0],
  ["const f = async () => {\n", "};", 100, 1, 0],
  ["class A { m() {\n", "} }", 101, 0, 1],
  ['describe("all", () => {\n', "});", 300, 0, 0],
  ['describe.each([1])("all", () => {\n', "});", 300, 0, 0],
  ['test("one", () => {\n', "});", 101, 0, 1],
])("%s of given length", (head, tail, count, warnings, problems) => {
  const found = findOversized([readModule("src/core/a.ts", `${head}${lines(count - 2)}${tail}\n`)]);
  expect([found.warnings.length, found.problems.length]).toEqual([warnings, problems]);
});
