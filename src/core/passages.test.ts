import { describe, expect, test } from "vitest";
import { CODE, LOGS, NOISE, PROSE, TABLES } from "../testing/text-forms.ts";
import { cutAtWord, plainLine, quotables, sentencesOf } from "./passages.ts";

const texts = (text: string) => quotables(text).map((unit) => unit.text);

describe("quotables", () => {
  test("headings, sentences, lines of lists and tables, without their marks", () => {
    const page = `---
title: Berths
---
# Berths #

A berth is **locked** while a ship is
being loaded; see [loading](loading.md). The lock expires after one tide!

- Ask the \`office\` first. It opens at 7.
2. Then take the rope

> Nobody may stay overnight.

| Office | Opens |
|:---|---|
| North | 7:30 |
`;
    expect(quotables(page).map(({ kind, text }) => [kind, text])).toEqual([
      ["heading", "Berths"],
      ["sentence", "A berth is locked while a ship is being loaded; see loading."],
      ["sentence", "The lock expires after one tide!"],
      ["line", "Ask the office first. It opens at 7."],
      ["line", "Then take the rope"],
      ["sentence", "Nobody may stay overnight."],
      ["heading", "Office | Opens"],
      ["line", "North | 7:30"],
    ]);
  });

  test("code in a page counts for what stands before it, and is not quoted", () => {
    const [only, ...others] = quotables("Take a berth like this:\n\n```js\nawait takeBerth({ days: 3 });\n```\n");
    expect(only).toMatchObject({ text: "Take a berth like this:" });
    expect(only?.about).toContain("takeBerth");
    expect(others).toEqual([]);
  });

  test("the comments of a program are its prose; a program without any is quoted by its lines", () => {
    const program = `/**\n * Takes a berth for some days.\n * Rejects when none is free.\n */\nexport async function takeBerth(days: number) {\n  return office.take(days);\n}\n`;
    expect(texts(program)).toEqual(["Takes a berth for some days.", "Rejects when none is free."]);
    expect(texts("const berth = take();\nif (!berth) throw new Error();\n")).toEqual([
      "const berth = take();",
      "if (!berth) throw new Error();",
    ]);
    expect(texts("# Opens the gate.\ndef open_gate(key):\n    return turn(key)\n")).toEqual(["Opens the gate."]);
  });

  test("finds something in every text that holds a word, on one line and without controls", () => {
    for (const text of [...PROSE, ...CODE, ...TABLES, ...LOGS, ...NOISE, "\u001b[31mred\u001b[0m text\u202e"]) {
      const units = quotables(text);
      expect(units.length).toBeGreaterThan(0);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that they are gone is tested
      for (const unit of units) expect(unit.text).toMatch(/^[^\n\u0000-\u001f\u202e]+$/u);
    }
    for (const empty of ["", "\n\n", "---\n---\n", "|||\n***", "```\n```"]) expect(quotables(empty)).toEqual([]);
  });

  test("takes linear time", () => {
    const start = performance.now();
    for (const part of [
      "a. ",
      "[a](",
      "![",
      "`",
      "**",
      "<a ",
      "| ",
      "- ",
      "# ",
      "```\n",
      "/*",
      "e.g. ",
      "=",
      "(",
      "\t",
      "。",
    ])
      quotables(part.repeat(20_000));
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

test.each([
  ["One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]],
  ["See e.g. Berth 4 and Dr. Helm, no. 7 etc. For all.", ["See e.g. Berth 4 and Dr. Helm, no. 7 etc. For all."]],
  ["J. R. Berth wrote 3.14 in v1.2. He left.", ["J. R. Berth wrote 3.14 in v1.2.", "He left."]],
  ['He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]],
  ["run it... then wait", ["run it... then wait"]],
  ["港は閉じる。潮を待つ。", ["港は閉じる。", "潮を待つ。"]],
  ["", []],
])("sentences of %j", (text, expected) => {
  expect(sentencesOf(text)).toEqual(expected);
});

test("cutAtWord cuts between words, never a pair of surrogates, and never to more than it may", () => {
  expect(cutAtWord("short", 10)).toBe("short");
  expect(cutAtWord("some longer words, of course", 19)).toBe("some longer words…");
  expect(cutAtWord("x".repeat(30), 10)).toBe(`${"x".repeat(9)}…`);
  expect(cutAtWord("😀".repeat(10), 6)).toBe("😀😀…");
});

test("plainLine keeps what code and prices look like", () => {
  expect(plainLine("a_b __strong__ *x* 2*3 `Map<string>` ![i](u) [[page|Page]] <br/> [t][1]")).toBe(
    "a_b strong *x* 2*3 Map<string> page t",
  );
});
