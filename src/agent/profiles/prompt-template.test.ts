import { describe, expect, test } from "vitest";
import { WinnowError } from "../../core/errors.ts";
import { startTestRun } from "../../testing/agent-fixture.ts";
import { messageText } from "../context/rendered.ts";
import { scriptedPolicy } from "../policies/scripted.ts";
import { context1 } from "./context-1.ts";
import { hashOf } from "./profile.ts";
import { TEMPLATE_UNITS_MAX, withPrompt } from "./prompt-template.ts";

function refusal(template: string): { readonly code: string; readonly message: string } {
  try {
    withPrompt(context1, template, "own.txt");
  } catch (error) {
    if (WinnowError.isInstance(error)) return { code: error.code, message: error.message };
  }
  throw new Error("not refused");
}

describe("a prompt of the caller", () => {
  test("stands in the first message with its placeholders filled, and the record holds its hash", async () => {
    const template = '\r\n<q>{query}</q> {steering} {documentsMax} {date} {"json": 1} {other}\r\nlast\r\n';
    const profile = withPrompt(context1, template, "own.txt");
    let shown = "";
    const policy = scriptedPolicy([
      (view) => {
        shown = view.context.messages.map(messageText).join("");
        return { calls: [], text: '<Document id="none">' };
      },
    ]);
    // A question is never read as a template.
    const { run, record } = startTestRun(policy, { profile, query: "who {date} $& {query}?", limits: { turnsMax: 1 } });
    await run.result;
    expect(shown).toBe('<q>who {date} $& {query}?</q>  30 2026-01-01 {"json": 1} {other}\nlast\n\n');
    const { hashes } = record().header;
    expect(hashes.prompt).toBe(hashOf(profile.prompt));
    expect(hashes.prompt).not.toBe(hashOf(context1.prompt));
    expect(hashes.profile).toBe(hashOf(profile));
  });

  test.each([
    ["   \n", "invalid_argument", "own.txt is empty."],
    ["Find it.", "invalid_argument", "own.txt has no {query}, so the question would be left out."],
    ["{qeury}", "invalid_argument", "Did you mean {query} where it says {qeury}?"],
    ["{Query}", "invalid_argument", "Did you mean {query} where it says {Query}?"],
    ["{query} {documentMax}", "invalid_argument", "own.txt has {documentMax}. Did you mean {documentsMax}?"],
    [`{query}${"x".repeat(TEMPLATE_UNITS_MAX)}`, "limit_exceeded", "own.txt has 65543 characters"],
  ])("%# is refused", (template, code, message) => {
    expect(refusal(template)).toEqual({ code, message: expect.stringContaining(message) });
  });

  test("may be as long as the limit", () => {
    const template = `{query}${"x".repeat(TEMPLATE_UNITS_MAX - 7)}`;
    expect(withPrompt(context1, template, "own.txt").prompt).toBe(template);
  });
});
