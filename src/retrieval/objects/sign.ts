import { createHash, createHmac } from "node:crypto";
import type { ObjectAccess } from "./access.ts";

const ALGORITHM = "AWS4-HMAC-SHA256";
const SERVICE = "s3";

/** SHA-256 of a body that is empty. */
export const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

export interface RequestToSign {
  readonly method: string;
  /** Its path and query encoded as `encodePart` does. */
  readonly url: URL;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body, in hex. */
  readonly sha256: string;
}

/**
 * The headers of a request with those that AWS's Signature Version 4 adds: every header given is signed, the host and
 * the body's hash too. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signedHeaders(
  request: RequestToSign,
  access: Pick<ObjectAccess, "region" | "keyId" | "secret" | "sessionToken">,
  nowMs: number,
): Record<string, string> {
  const { method, url, sha256 } = request;
  const time = new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, "");
  const day = time.slice(0, 8);
  const headers: Record<string, string> = {
    ...request.headers,
    host: url.host,
    "x-amz-content-sha256": sha256,
    "x-amz-date": time,
    ...(access.sessionToken === undefined ? {} : { "x-amz-security-token": access.sessionToken }),
  };
  const names = Object.keys(headers).sort();
  const signed = names.join(";");
  const canonical = [
    method,
    url.pathname,
    canonicalQuery(url),
    ...names.map((name) => `${name}:${headers[name]?.trim().replace(/ +/g, " ")}`),
    "",
    signed,
    sha256,
  ].join("\n");
  const scope = `${day}/${access.region}/${SERVICE}/aws4_request`;
  const toSign = [ALGORITHM, time, scope, createHash("sha256").update(canonical).digest("hex")].join("\n");
  const key = [day, access.region, SERVICE, "aws4_request"].reduce<string | Buffer>(hmac, `AWS4${access.secret}`);
  const signature = hmac(key, toSign).toString("hex");
  return {
    ...headers,
    authorization: `${ALGORITHM} Credential=${access.keyId}/${scope},SignedHeaders=${signed},Signature=${signature}`,
  };
}

/** One part of a path, or a name or value of a query, as the signature wants it: all but A-Z a-z 0-9 - . _ ~ encoded. */
export function encodePart(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function canonicalQuery(url: URL): string {
  const pairs = [...url.searchParams].map(([name, value]) => [encodePart(name), encodePart(value)] as const);
  pairs.sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0));
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
