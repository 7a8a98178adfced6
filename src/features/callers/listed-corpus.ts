import { z } from "zod";

const count = z.number().int();

/** A corpus as every kind of caller is told of it; see `ListedCorpus`. */
export const listedCorpus = z.object({
  name: z.string(),
  documents: count,
  chunks: count,
  updatedAt: z.string().describe("When the index was last brought up to date, ISO 8601."),
  writing: z.boolean().describe("Whether it is being indexed right now."),
  ready: z.boolean().describe("Whether indexes hold all but a few chunks; queries are slower while they do not."),
  skipped: count.describe("Items that are not indexed, for a reason of the user's or because they could not be read."),
  failed: count.describe("Those of them that could not be read."),
  skippedByReason: z.record(z.string(), count).describe("Why they are not indexed, with counts."),
  redacted: z.record(z.string(), count).describe("Secrets that were replaced before anything was kept, by kind."),
  attached: z.boolean().describe("Whether it is a Chroma collection that is searched as it is."),
  words: z
    .object({
      records: count.nullable().describe("Records whose words are indexed; null before the first time."),
      scannedAt: z.string().nullable().describe("When the collection was last looked through, ISO 8601."),
      state: z.enum(["fresh", "changed", "gone", "unknown", "refused"]),
    })
    .nullable()
    .describe("Of an attached collection: how its indexed words stand; `unknown` where only its server could tell."),
  keys: z.array(z.string()).describe("Metadata keys that filters can name."),
});
