import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scriptedPolicy } from "../agent/policies/scripted.ts";
import { WinnowError } from "../core/errors.ts";
import { ENDED, recordOf, sampledDecision } from "../export/record-fixture.ts";
import { loadTokenCounter } from "../models/o200k-token-counter.ts";
import type { RunRecord } from "../record/reader.ts";
import { startTestRun } from "../testing/agent-fixture.ts";
import { type ExportFormat, exportRuns } from "./export-runs.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "winnow-export-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function saved(name: string, record: RunRecord): Promise<string> {
  const file = join(folder, `${name}.jsonl`);
  const lines = [{ ...record.header, runId: name }, ...record.events].map((line) => `${JSON.stringify(line)}\n`);
  await writeFile(file, lines.join(""));
  return file;
}

function exported(format: ExportFormat, runs: readonly string[], tokensMax?: number) {
  const scope = { workingFolder: folder, named: [], known: {} } as never;
  const { signal } = new AbortController();
  return exportRuns({ runs, format, scope, signal, ...(tokensMax === undefined ? {} : { tokensMax }) });
}

const small = recordOf(sampledDecision(1, { keep: 0, add: [10] }, [20]), ENDED);
const large = recordOf(sampledDecision(1, { keep: 0, add: [10, 11, 12] }, [20]), ENDED);

describe("exportRuns", () => {
  it.each(["segments", "sft"] as const)("leaves whole runs out for length and names them: %s", async (format) => {
    const files = [await saved("small", small), await saved("large", large)];
    expect(await exported(format, files, 3)).toMatchObject({ runs: 1, tooLong: ["large"] });
    const all = await exported(format, files, 4);
    expect(all).toMatchObject({ runs: 2, tooLong: [] });
    expect(all.lines).toHaveLength(2);
  });

  it("makes conversations of a run without token ids, of which it makes no segments", async () => {
    const counter = await loadTokenCounter();
    const finish = { calls: [{ tool: "finish", arguments: { documents: [] } }] };
    const { run, record } = startTestRun(scriptedPolicy([finish]), { counter });
    await run.result;
    const file = await saved("plain", record());
    expect((await exported("chat", [file])).lines).toMatchObject([{ run_id: "plain", turns: [1] }]);
    for (const format of ["segments", "sft"] as const) {
      const error = await exported(format, [file]).catch((thrown: unknown) => thrown);
      expect(WinnowError.isInstance(error) && [error.code, error.message]).toEqual([
        "invalid_argument",
        "The record of run plain holds no token ids at turn 1, attempt 1.",
      ]);
    }
  });

  it("refuses a run given twice, ids outside the vocabulary and runs that are not there", async () => {
    const file = await saved("small", small);
    await expect(exported("sft", [file, file])).rejects.toThrow("Run small is given twice.");
    const strange = recordOf(sampledDecision(1, { keep: 0, add: [10] }, [201_088]), ENDED);
    await expect(exported("segments", [await saved("strange", strange)])).rejects.toThrow(
      /has the id 201088.*vocabulary/,
    );
    await expect(exported("sft", [join(folder, "none.jsonl")])).rejects.toMatchObject({ code: "run_not_found" });
  });
});
