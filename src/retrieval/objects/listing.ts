import { WinnowError } from "../../core/errors.ts";

/**
 * Objects of one page of a listing (ListObjectsV2 with `encoding-type=url`, so that keys need no XML). Throws `store_failed`
 * for what is no listing.
 */
export function parseListing(
  xml: string,
): readonly { readonly key: string; readonly bytes: number; readonly modifiedMs: number }[] {
  if (!xml.includes("</ListBucketResult>")) throw malformed();
  return [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, entry = ""]) => {
    const bytes = Number(textOf(entry, "Size") ?? Number.NaN);
    const modifiedMs = Date.parse(textOf(entry, "LastModified") ?? "");
    const key = textOf(entry, "Key");
    if (key === undefined || !Number.isSafeInteger(bytes) || Number.isNaN(modifiedMs)) throw malformed();
    return { key: decodeKey(key), bytes, modifiedMs };
  });
}

/** What asks for the next page; undefined behind the last one. */
export function nextPage(xml: string): string | undefined {
  if (textOf(xml, "IsTruncated") !== "true") return undefined;
  const token = textOf(xml, "NextContinuationToken");
  if (token === undefined || token === "") throw malformed();
  return token.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function textOf(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    throw malformed();
  }
}

function malformed(): WinnowError {
  return new WinnowError("store_failed", "The object store answered with something that is not a listing.", {
    hint: "Is AWS_ENDPOINT_URL the address of an S3-compatible server?",
  });
}
