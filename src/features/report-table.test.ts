import { expect, test } from "vitest";
import { formatP, formatSigned, formatValue, markdownTable, markdownText, textTable } from "./report-table.ts";

const table = [
  ["", "mean", "who"],
  ["recall@2", "0.5", "rules"],
  ["f1", "12", ""],
];

test("text tables align numbers to the right and all else to the left", () => {
  expect(textTable(table)).toEqual(["          mean  who", "recall@2   0.5  rules", "f1          12"]);
});

test("Markdown tables say which columns are numbers, and escape what Markdown would act on", () => {
  expect(markdownTable(table)).toBe("|  | mean | who |\n|---|---:|---|\n| recall@2 | 0.5 | rules |\n| f1 | 12 |  |");
  expect(markdownText("a|b\n*c* <d> [e](f) [1, 2]")).toBe("a\\|b \\*c\\* \\<d> \\[e](f) [1, 2]");
});

test.each<[string, string]>([
  [formatValue(0.12345), "0.123"],
  [formatValue(1), "1.000"],
  [formatValue(1.234), "1.23"],
  [formatValue(12_345.6), "12,346"],
  [formatValue(0.001, 50), "0.0"],
  [formatSigned(-0.5, 0.5), "−0.500"],
  [formatSigned(0.5, 0.5), "+0.500"],
  [formatSigned(-0.0001, 0.5), "0.000"],
  [formatP(0.0004), "<0.001"],
  [formatP(0.05), "0.050"],
])("formats: %s", (text, expected) => {
  expect(text).toBe(expected);
});
