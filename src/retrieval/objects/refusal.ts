import type { FailedAttempt } from "../../core/attempts.ts";
import { isTransientStatus, retryAfterMs } from "../../core/attempts.ts";
import { WinnowError } from "../../core/errors.ts";
import { cleanMessage } from "../../core/service-message.ts";
import type { ObjectAccess } from "./access.ts";

/** Bytes of an error's body that are read. */
export const REFUSAL_BYTES_MAX = 64 * 1024;

const SET_KEYS_AGAIN = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN where they expire.";
const HINTS: Readonly<Record<string, string>> = {
  ExpiredToken: `The credentials have expired: get new ones. ${SET_KEYS_AGAIN}`,
  TokenRefreshRequired: `The credentials have expired: get new ones. ${SET_KEYS_AGAIN}`,
  InvalidToken: `The session token is not of these keys. ${SET_KEYS_AGAIN}`,
  InvalidAccessKeyId: `The server does not know this key. ${SET_KEYS_AGAIN}`,
  SignatureDoesNotMatch: `AWS_SECRET_ACCESS_KEY is not that of AWS_ACCESS_KEY_ID. ${SET_KEYS_AGAIN}`,
  AccessDenied: "These keys may not do this there: ask whoever looks after the bucket.",
  RequestTimeTooSkewed: "The clock of this machine is wrong: set it.",
};
const CREDENTIAL_STATUSES: readonly number[] = [401, 403];
/** Two writers met, and neither was refused for good. */
const CONFLICT = 409;

export interface Refusal {
  readonly status: number;
  readonly headers: Headers;
  /** The beginning of the body. */
  readonly text: string;
}

/** The `<Code>` of an error, empty where there is none. */
export function codeOf(text: string): string {
  return /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(text)?.[1] ?? "";
}

/** What a refusal means, as an error that a person can act on. Neither key is in it, even where the server repeats them. */
export function refused(
  { status, headers, text }: Refusal,
  { bucket, where }: { readonly bucket: string; readonly where: string },
  { keyId, secret }: Pick<ObjectAccess, "keyId" | "secret">,
): FailedAttempt {
  const code = codeOf(text);
  if (code === "NoSuchBucket") {
    const error = new WinnowError("corpus_not_found", `There is no bucket ${bucket} at ${where}.`, {
      hint: "Check the address, and AWS_ENDPOINT_URL where the server is not AWS's.",
    });
    return { error, transient: false };
  }
  const region = headers.get("x-amz-bucket-region") ?? /<Region>([a-z0-9-]{1,40})<\/Region>/.exec(text)?.[1];
  if (region !== undefined && (status === 301 || status === 307 || status === 400)) {
    const message = `The bucket ${bucket} is in the region ${cleanMessage(region, undefined)}.`;
    return { error: new WinnowError("store_failed", message, { hint: "Set AWS_REGION to it." }), transient: false };
  }
  const transient = isTransientStatus(status) || (status === CONFLICT && code === "ConditionalRequestConflict");
  const said = cleanMessage(/<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? "", secret).replaceAll(keyId, "…");
  const named = [code, said].filter((part) => part !== "").join(": ");
  const hint = HINTS[code] ?? (CREDENTIAL_STATUSES.includes(status) ? SET_KEYS_AGAIN : undefined);
  const error = new WinnowError("store_failed", `${where} answered ${status}${named === "" ? "" : ` (${named})`}.`, {
    retryable: transient,
    ...(hint === undefined ? {} : { hint }),
  });
  return { error, transient, waitMs: retryAfterMs(headers.get("retry-after")) };
}
