import type { Dataset } from "../../src/eval/dataset.ts";
import { areNearDuplicates, type Fingerprint, fingerprint } from "../../src/retrieval/find/near-duplicates.ts";

/** Whether one of the documents listed says the same as `document` in the same words, so that it may stand for it. */
export async function hasNearCopy(
  dataset: Pick<Dataset, "documentText">,
  document: string,
  listed: readonly string[],
): Promise<boolean> {
  const own = await wholeOf(dataset, document);
  if (own === undefined) return false;
  for (const other of listed) {
    const text = await wholeOf(dataset, other);
    if (text !== undefined && areNearDuplicates(own, text)) return true;
  }
  return false;
}

async function wholeOf(dataset: Pick<Dataset, "documentText">, id: string): Promise<Fingerprint | undefined> {
  const text = await dataset.documentText(id);
  return text === undefined ? undefined : fingerprint({ title: "", passages: [text], isWhole: true, chunks: 1 });
}
