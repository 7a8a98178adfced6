import { mkdirSync, rmdirSync } from "node:fs";
import { expect, it } from "vitest";
import { rulesPolicy } from "../agent/policies/rules/rules.ts";
import { DEFAULT_RULES } from "../agent/policies/rules/settings.ts";
import { systemErrorCode } from "../core/errors.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { randomChunks } from "../testing/world.ts";
import { searchCorpora } from "./search-corpora.ts";

/** A folder that nobody may write to, the superuser included. */
const SEALED = "/sys/winnow-runs";

function refusal(): string | undefined {
  try {
    mkdirSync(SEALED);
    rmdirSync(SEALED);
    return undefined;
  } catch (error) {
    return systemErrorCode(error);
  }
}

it.skipIf(!["EROFS", "EACCES", "EPERM"].includes(refusal() ?? ""))(
  "a search where nothing can be written answers, and says that it is not recorded",
  async () => {
    const run = await searchCorpora({
      question: "amber basin of the delta",
      corpora: [memoryCorpus("test", randomChunks(20, 2, wordCounter()))],
      profile: "chat",
      policy: rulesPolicy(DEFAULT_RULES),
      runsFolder: SEALED,
    });
    const { documents, notices, recordPath } = await run.result;
    expect(documents.length).toBeGreaterThan(0);
    expect(recordPath).toBeNull();
    expect(notices).toContainEqual({ code: "not_recorded", message: expect.stringContaining(SEALED) });
  },
);
