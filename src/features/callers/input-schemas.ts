import { z } from "zod";

/** What callers of several tools and addresses give and get. Every length has a limit: callers are models, and other machines. */
const NAME_UNITS_MAX = 300;
const FILTER_UNITS_MAX = 500;
const LIST_MAX = 20;

export const questionText = z.string().min(1).max(8_000);
const name = z.string().min(1).max(NAME_UNITS_MAX);

export const corpora = z
  .array(name)
  .max(LIST_MAX)
  .optional()
  .describe("Names of corpora, as `corpora` lists them. All that are configured for this folder by default.");

export const where = z
  .array(z.string().min(1).max(FILTER_UNITS_MAX))
  .max(LIST_MAX)
  .optional()
  .describe(
    'Filters on metadata, all of which must hold: "repository=core", "modified>=2026-05", "is_error=true". `corpora` lists the keys.',
  );

export const since = z
  .string()
  .max(NAME_UNITS_MAX)
  .optional()
  .describe("Only documents that changed since this ISO date, whole or in part: 2026, 2026-05, 2026-05-14.");

export const documentsMax = (byDefault: number, max: number) =>
  z.number().int().min(1).max(max).optional().describe(`Documents at most, ${byDefault} by default.`);

export const documentNames = (what: string) => z.array(name).max(100).optional().describe(what);

export const notices = z
  .array(z.string())
  .describe("What the caller should know: stale or superseded documents, a search by words only, a list cut short.");

/** A document as a caller cites it. */
export const citation = {
  place: z.string().describe("Path and line, or id; `read` takes it as it stands."),
  date: z.string().optional().describe("ISO day of the last change."),
  repository: z.string().optional(),
  session: z.string().optional().describe("Session that the document belongs to."),
  supersededBy: z.string().optional().describe("What has taken its place, by its own account."),
};

export const listedDocument = z.object({
  rank: z.number().int(),
  id: z.string(),
  corpus: z.string(),
  title: z.string(),
  ...citation,
  passage: z.string().describe("The text that matters; long ones are cut."),
  why: z.string().describe("Why it is in the list."),
  duplicates: z
    .array(z.object({ corpus: z.string(), id: z.string() }))
    .optional()
    .describe("Documents that say the same in the same words."),
});
