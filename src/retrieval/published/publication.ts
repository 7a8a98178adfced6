import { z } from "zod/mini";
import { WinnowError } from "../../core/errors.ts";
import type { Manifest } from "../corpus/manifest.ts";
import { manifestSchema } from "../corpus/manifest-schemas.ts";
import { damaged, seal, unseal } from "../corpus/sealed-file.ts";
import type { ObjectStore } from "../objects/object-store.ts";
import type { Call } from "../objects/requests.ts";

/**
 * What an address holds: `manifest.json`, the only truth, and below `objects/` files of the index, each named after its
 * content. A publication adds the objects that are not there yet and replaces the manifest last, if nobody else has
 * replaced it meanwhile. So a reader sees one whole state or another, and equal files are stored once.
 */
export const MANIFEST_KEY = "manifest.json";
export const OBJECTS = "objects/";

const FORMAT = { name: "published", version: 1 };
const MANIFEST_BYTES_MAX = 64 * 2 ** 20;
/** Files of an index, and objects that a publication may name. */
export const PUBLISHED_FILES_MAX = 100_000;

/** Files of a corpus folder that are published, by the folder that they belong to. None leads out of it. */
const PATH =
  /^(manifest\/\d{1,15}\.json|grep\/\d{1,15}\/docs\.(bin|idx)|lance(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+){2,5})$/;
const KEY = /^objects\/[0-9a-f]{64}(-[0-9a-f]{16})?$/;

const count = z.int().check(z.nonnegative());
const key = z.string().check(z.regex(KEY));

const publicationSchema = z.object({
  /** Drawn at random for each publication. */
  id: z.string().check(z.regex(/^[0-9a-f]{16}$/)),
  publishedAt: z.iso.datetime(),
  // What comes from another machine names a table, and is shown: neither may do more.
  manifest: z.extend(manifestSchema, {
    updatedAt: z.iso.datetime(),
    store: z.object({ table: z.string().check(z.regex(/^[A-Za-z0-9_-]{1,100}$/)), version: count }),
  }),
  files: z
    .array(
      z.object({
        path: z.string().check(z.regex(PATH)),
        bytes: count,
        sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
        key,
      }),
    )
    .check(z.maxLength(PUBLISHED_FILES_MAX)),
  retired: z.array(z.object({ atMs: count, keys: z.array(key) })).check(z.maxLength(PUBLISHED_FILES_MAX)),
});

/** A file of an index as it lies on an object store. */
export interface PublishedFile {
  /** Within the corpus folder, with slashes. */
  readonly path: string;
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
  readonly key: string;
}

/** Objects that a publication stopped to name. */
export interface RetiredObjects {
  /** When, by the server's clock. */
  readonly atMs: number;
  readonly keys: readonly string[];
}

export interface Publication {
  readonly id: string;
  readonly publishedAt: string;
  /** Of the index that was published, without where it lies. */
  readonly manifest: Manifest;
  readonly files: readonly PublishedFile[];
  /** Those that readers of an earlier state may still be fetching. */
  readonly retired: readonly RetiredObjects[];
}

export interface FoundPublication {
  readonly publication: Publication;
  readonly etag: string;
  readonly modifiedMs: number;
  readonly serverMs: number;
}

/**
 * What is published at the store's address; undefined where nothing is, `unchanged` where it still has the ETag `unless`.
 * Rejects with `corpus_corrupt` for a manifest that is not what was written, and with `corpus_format` for one of another
 * version, besides what requests reject with.
 */
export async function readPublication(
  store: ObjectStore,
  unless: string | undefined,
  call: Call,
): Promise<FoundPublication | "unchanged" | undefined> {
  const found = await store.read(MANIFEST_KEY, { ...call, unless, bytesMax: MANIFEST_BYTES_MAX });
  if (found === undefined || found === "unchanged") return found;
  const { body, ...rest } = found;
  return { publication: parsePublication(body.toString("utf8"), `${store.address.text}/${MANIFEST_KEY}`), ...rest };
}

/** Throws as `readPublication` rejects; `name` stands for the place in errors. */
export function parsePublication(text: string, name: string): Publication {
  try {
    const parsed = publicationSchema.safeParse(unseal(name, text, FORMAT));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw damaged(name, `${issue?.path.join(".") ?? ""} ${issue?.message ?? "is invalid"}`.trim());
  } catch (error) {
    if (!WinnowError.isInstance(error)) throw error;
    const hint =
      error.code === "corpus_format"
        ? "Use the version of Winnow that published it."
        : "Is it an address that `winnow copy` published to? Then publish the index again, with --replace.";
    throw new WinnowError(error.code, error.message, { hint, cause: error });
  }
}

export function sealPublication(publication: Publication): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(seal(FORMAT, publication)));
}
