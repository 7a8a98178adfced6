import { describe, expect, test } from "vitest";
import { NOISE, PROSE, TABLES } from "../testing/text-forms.ts";
import { type Asked, bestSentence, reason } from "./reason.ts";

const STOP = new Set(
  "a after and be by can do does for how i in is it long many of on or the to what when where who you".split(" "),
);
const termsOf = (text: string): string[] =>
  (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])
    .filter((word) => !STOP.has(word))
    .map((word) => word.replace(/s$/u, ""));
/** All words count the same, but those that are told to be common. */
function asked(question: string, common: readonly string[] = []): Asked {
  return { terms: [...new Set(termsOf(question))], weight: (term) => (common.includes(term) ? 0.1 : 1), termsOf };
}
const best = (text: string, question: string, headings: readonly string[] = []) =>
  bestSentence(text, headings, asked(question)).text;

const PAGE = `# Berths

The harbour has forty berths. A ship that wants one asks the office by radio.

## Locks

What is a lock for? While a ship is being loaded nobody else may use its berth. The lock of a berth expires after one tide.

| Berth | Depth |
|---|---|
| north | 7 m |
| south | 11 m |

\`\`\`sh
berth unlock --number 4 --force
\`\`\`
`;

describe("bestSentence", () => {
  test.each([
    ["When does the lock of a berth expire?", "The lock of a berth expires after one tide."],
    ["How many berths does the harbour have?", "The harbour has forty berths."],
    ["Whom does a ship ask for a berth by radio?", "A ship that wants one asks the office by radio."],
    ["depth of the south berth", "south | 11 m"],
    ["what are locks for", "While a ship is being loaded nobody else may use its berth."],
  ])("for %j it is %j", (question, expected) => {
    expect(best(PAGE, question)).toBe(expected);
  });

  test("rare words decide, not many common ones", () => {
    const text = "Harbours have berths and berths have ships. The quarantine flag is yellow.";
    const question = "quarantine of harbours, berths and ships";
    expect(bestSentence(text, [], asked(question, ["harbour", "berth", "ship"])).text).toBe(
      "The quarantine flag is yellow.",
    );
  });

  test("what a heading says counts for the sentences under it, and a heading alone answers nothing", () => {
    const text =
      "## Pilot boats\n\nThey leave at dawn from the north quay.\n\n## Ferries\n\nThey leave at noon from the south quay.";
    expect(best(text, "When do pilot boats leave?")).toBe("They leave at dawn from the north quay.");
    expect(best(text, "When do ferries leave?")).toBe("They leave at noon from the south quay.");
    expect(best("Wait for one hour. Then leave.", "quarantine", ["Quarantine"])).toBe("Wait for one hour.");
  });

  test("code is told by what stands before it", () => {
    const text = "Berths are counted.\n\nTo give one back by hand:\n\n```sh\nberth unlock --force\n```";
    expect(best(text, "unlock with force")).toBe("To give one back by hand:");
  });

  test("where no word occurs it is the first sentence, and says so", () => {
    expect(bestSentence("# Cranes\n\nTen cranes stand here. All are green.", [], asked("volcano"))).toEqual({
      text: "Ten cranes stand here.",
      share: 0,
    });
    expect(bestSentence("", [], asked("volcano"))).toEqual({ text: "", share: 0 });
    expect(bestSentence("Ten cranes.", [], asked(""))).toEqual({ text: "Ten cranes.", share: 0 });
  });

  test("tells what share of the question is covered", () => {
    expect(bestSentence("The crane is green. The berth is not.", [], asked("green crane, red rope")).share).toBe(0.5);
  });

  test("a long sentence is cut at a word, and begins where the question's words do", () => {
    const filler = Array.from({ length: 60 }, (_, i) => `word${i}`).join(" ");
    const early = best(`The lock expires ${filler}.`, "When does the lock expire?");
    expect(early).toMatch(/^The lock expires word0 .* word\d+…$/u);
    const late = best(`Whoever ${filler} knows that the lock expires after one tide and is renewed.`, "lock expires");
    expect(late).toMatch(/^…knows that the lock expires after one tide and is renewed\.$/u);
    for (const text of [...PROSE, ...TABLES, ...NOISE])
      expect(best(text, "harbour crane").length).toBeLessThanOrEqual(200);
  });
});

describe("reason", () => {
  test("is the sentence, and for what another document led to also which one and by what name", () => {
    expect(reason({ sentence: "It expires." })).toBe("It expires.");
    expect(reason({ sentence: "It expires.", via: { name: "berth lock", title: "Loading" } })).toBe(
      "Reached from «Loading» through “berth lock”: It expires.",
    );
    expect(reason({ sentence: "", via: { name: "x", title: "" } })).toBe("Reached from another document through “x”.");
  });

  test("takes no lines and no endless names from a document", () => {
    const told = reason({
      sentence: "S.",
      via: { name: "n\n".repeat(500), title: `t\u001b[0m ${"long ".repeat(100)}` },
    });
    for (const control of ["\n", "\u001b"]) expect(told).not.toContain(control);
    expect(told.length).toBeLessThan(250);
  });
});
