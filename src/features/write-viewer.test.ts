import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { scriptedPolicy } from "../agent/policies/scripted.ts";
import { startTestRun } from "../testing/agent-fixture.ts";
import { embeddedJson, viewerPage } from "./write-viewer.ts";

test("what is embedded parses to the same value and holds nothing that a page would act on", () => {
  const hostile = fc.constantFrom(
    "</script>",
    "<!--",
    "<script>",
    "]]>",
    "\u2028",
    "\u2029",
    "&lt;",
    "\\u003c",
    "\u0000",
  );
  const text = fc.array(fc.oneof(hostile, fc.string({ unit: "binary" }))).map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.dictionary(text, fc.oneof(text, fc.array(text), fc.integer(), fc.constant(null))), (value) => {
      const embedded = embeddedJson(value);
      expect(embedded).not.toMatch(/[<>&\u2028\u2029]/);
      expect(JSON.parse(embedded)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("the page is the template with the records in its place for data, and nothing else changed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "winnow-viewer-"));
  try {
    const { run, record } = startTestRun(scriptedPolicy([]));
    await run.result;
    const place = '<script type="application/json" id="records"></script>';
    const template = pathToFileURL(join(folder, "viewer.html"));
    writeFileSync(template, `before $& ${place} after`);
    const page = await viewerPage([{ record: record(), path: join(folder, "some-run.jsonl") }], template);
    const [, data = ""] =
      /^before \$& <script type="application\/json" id="records">(.*)<\/script> after$/s.exec(page) ?? [];
    const [one] = JSON.parse(data);
    expect(one).toEqual({ name: "some-run.jsonl", ...record() });
    expect(page).not.toContain(folder);
    writeFileSync(template, "no place");
    await expect(viewerPage([], template)).rejects.toMatchObject({ code: "internal" });
    await expect(viewerPage([], pathToFileURL(join(folder, "absent.html")))).rejects.toMatchObject({
      code: "dependency_missing",
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
