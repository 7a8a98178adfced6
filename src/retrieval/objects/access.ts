import { isLoopback } from "../../core/address.ts";
import { WinnowError } from "../../core/errors.ts";

const REGION_DEFAULT = "us-east-1";
/** Characters that a header may carry. */
const PRINTABLE = /^[\x21-\x7e]+$/;
const REGION = /^[a-z0-9-]{1,40}$/;

/** How object stores are reached. Only ever made of the environment, and never written anywhere. */
export interface ObjectAccess {
  /** Address of a server that is not AWS's. Buckets are the first part of its paths. */
  readonly endpoint: URL | undefined;
  readonly region: string;
  readonly keyId: string;
  readonly secret: string;
  /** Of credentials that expire. */
  readonly sessionToken: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION or AWS_DEFAULT_REGION, and
 * AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL. Throws `invalid_argument` where keys are missing or cannot be used, and for an
 * endpoint that would carry them in the clear: plain http is for this machine, or where AWS_ALLOW_HTTP is `true`.
 */
export function objectAccess(environment: Environment): ObjectAccess {
  const read = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const region = read("AWS_REGION") ?? read("AWS_DEFAULT_REGION") ?? REGION_DEFAULT;
  if (!REGION.test(region)) throw unusable("AWS_REGION is not the name of a region.", "For example eu-central-1.");
  const endpoint = endpointOf(
    read("AWS_ENDPOINT_URL_S3") ?? read("AWS_ENDPOINT_URL"),
    read("AWS_ALLOW_HTTP")?.toLowerCase() === "true",
  );
  return {
    endpoint,
    region,
    keyId: credential(read("AWS_ACCESS_KEY_ID"), "AWS_ACCESS_KEY_ID"),
    secret: credential(read("AWS_SECRET_ACCESS_KEY"), "AWS_SECRET_ACCESS_KEY"),
    sessionToken: read("AWS_SESSION_TOKEN") && credential(read("AWS_SESSION_TOKEN"), "AWS_SESSION_TOKEN"),
  };
}

function endpointOf(given: string | undefined, allowsHttp: boolean): URL | undefined {
  if (given === undefined) return undefined;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw unusable("AWS_ENDPOINT_URL is not an http or https address.", "For example https://objects.example.org");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw unusable("AWS_ENDPOINT_URL holds a user, a password or a query.", "Keys have variables of their own.");
  }
  if (url.protocol === "http:" && !isLoopback(url.href) && !allowsHttp) {
    throw unusable(
      `AWS_ENDPOINT_URL is plain http, which anyone on the way to ${url.host} can read.`,
      "Use https, or set AWS_ALLOW_HTTP=true where the network is yours.",
    );
  }
  url.pathname = url.pathname.replace(/\/+$/, "");
  return url;
}

function credential(value: string | undefined, variable: string): string {
  if (value === undefined) {
    throw unusable(
      `The environment variable ${variable} holds nothing.`,
      "Keys of an object store come from the environment alone: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    );
  }
  // Its value is not repeated: it may be the secret.
  if (!PRINTABLE.test(value)) throw unusable(`The environment variable ${variable} holds no key.`, "Set it again.");
  return value;
}

function unusable(message: string, hint: string): WinnowError {
  return new WinnowError("invalid_argument", message, { hint });
}
