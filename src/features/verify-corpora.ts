import { toWinnowError } from "../core/errors.ts";
import { verifySums } from "../retrieval/corpus/checksums.ts";
import { type CorpusLayout, corpusLayout, grepSegmentOf } from "../retrieval/corpus/layout.ts";
import { type Manifest, readCorpusFile, readItems, readManifest } from "../retrieval/corpus/manifest.ts";
import { openFolderStore } from "../retrieval/corpus/store-of.ts";
import { readSegmentIndex } from "../retrieval/grep/segment.ts";
import type { Check } from "./doctor.ts";
import { type CorpusPlace, type CorpusScope, locateCorpora } from "./open-corpora.ts";
import { listRuns } from "./runs.ts";

/** Records that are read. */
const RUNS_MAX = 1_000;
/** Damaged files that are named. */
const NAMED_MAX = 5;
const MEBIBYTE = 2 ** 20;

/**
 * Reads all that the corpora keep, and compares it with what was written. Never rejects but with `cancelled`; where no
 * corpus can be found there is nothing to say that another check has not said.
 */
export async function verifyCorpora(scope: CorpusScope, signal?: AbortSignal): Promise<readonly Check[]> {
  const places = await locateCorpora(scope).catch((): CorpusPlace[] => []);
  const checks: Check[] = [];
  for (const place of places) checks.push(await verifyIndex(place, signal), await verifyRecords(place));
  return checks;
}

async function verifyIndex({ name: corpus, folder }: CorpusPlace, signal: AbortSignal | undefined): Promise<Check> {
  const name = `files of ${corpus}`;
  const layout = corpusLayout(folder);
  try {
    const manifest = (await readManifest(layout))?.manifest;
    if (manifest === undefined) return { name, state: "warn", detail: `There is no finished index in ${folder}.` };
    await readCorpusFile(layout);
    await readItems(layout, manifest);
    await openAndClose(layout, manifest);
    const { hasSums, files, bytes, damages } = await verifySums(layout, manifest, signal);
    if (!hasSums) {
      const detail = "there are no sums to compare them with: an older version wrote them, or a writer was killed";
      return { name, state: "warn", detail, hint: "Run: winnow index" };
    }
    const [first] = damages;
    if (first !== undefined) {
      const paths = damages.slice(0, NAMED_MAX).map(({ path }) => path);
      const more = damages.length > paths.length ? `, and ${damages.length - paths.length} more` : "";
      const detail = `${damages.length} of ${files} are not as they were written: ${paths.join(", ")}${more}`;
      const isGrep = damages.every(({ path }) => path.startsWith("grep/"));
      return { name, state: "fail", detail, hint: isGrep ? GREP_HINT : (first.error.hint ?? "") };
    }
    const size = (bytes / MEBIBYTE).toFixed(1);
    return { name, state: "ok", detail: `${files}, ${size} MiB, all as they were written` };
  } catch (error) {
    signal?.throwIfAborted();
    const { message: detail, hint } = toWinnowError(error);
    return { name, state: "fail", detail, ...(hint !== undefined && { hint }) };
  }
}

/** Both look at what is in use: whether it is there, and as long as it should be. */
async function openAndClose(layout: CorpusLayout, manifest: Manifest): Promise<void> {
  for (const { segment } of manifest.grep) await readSegmentIndex(grepSegmentOf(layout, segment));
  const store = openFolderStore(layout, manifest.identity);
  try {
    await (await store.openReader(manifest.store)).close();
  } finally {
    await store.close();
  }
}

const GREP_HINT = "Run `winnow index --rebuild` to build the index anew from its sources.";

async function verifyRecords({ name: corpus, runsFolder }: CorpusPlace): Promise<Check> {
  const name = `runs of ${corpus}`;
  try {
    const { runs, damaged } = await listRuns([runsFolder], RUNS_MAX);
    const [first] = damaged;
    if (first === undefined) return { name, state: "ok", detail: `${runs.length} records, all can be read` };
    const detail = `${damaged.length} of ${runs.length + damaged.length} records cannot be read: ${damaged.slice(0, NAMED_MAX).join(", ")}`;
    return { name, state: "warn", detail, hint: "Delete them; no other file depends on them." };
  } catch (error) {
    const { message: detail, hint } = toWinnowError(error, "store_failed");
    return { name, state: "warn", detail, ...(hint !== undefined && { hint }) };
  }
}
