import { z } from "zod/mini";
import { WinnowError } from "../../core/errors.ts";
import type { CorpusLayout } from "../corpus/layout.ts";
import { readSealed, writeSealed } from "../corpus/sealed-file.ts";

const FORMAT = { name: "publishing", version: 1 };

const markSchema = z.record(
  z.string(),
  z.object({
    /** The publication that this index made there last, as far as it knows. */
    last: z.nullable(z.string()),
    /** One that it began: it may have been made or not. */
    begun: z.nullable(z.string()),
  }),
);

/** By address, what an index knows of its own publications. */
type Marks = z.infer<typeof markSchema>;

/** Publications at an address that are this index's own. */
export async function ownPublications(layout: CorpusLayout, address: string): Promise<ReadonlySet<string>> {
  const mark = (await readMarks(layout))[address];
  return new Set([mark?.last, mark?.begun].filter((id) => id != null));
}

/** Notes a publication before it is made, so that a kill leaves no doubt whose it is. */
export async function noteBegun(layout: CorpusLayout, address: string, before: string | null, id: string) {
  await writeSealed(layout.publishedFile, FORMAT, {
    ...(await readMarks(layout)),
    [address]: { last: before, begun: id },
  });
}

export async function noteMade(layout: CorpusLayout, address: string, id: string): Promise<void> {
  await writeSealed(layout.publishedFile, FORMAT, {
    ...(await readMarks(layout)),
    [address]: { last: id, begun: null },
  });
}

/** What cannot be read is forgotten: publishing asks for `--replace` then. */
async function readMarks(layout: CorpusLayout): Promise<Marks> {
  try {
    const parsed = markSchema.safeParse((await readSealed(layout.publishedFile, FORMAT))?.body);
    return parsed.success ? parsed.data : {};
  } catch (error) {
    if (WinnowError.isInstance(error) && error.code === "corpus_corrupt") return {};
    throw error;
  }
}
