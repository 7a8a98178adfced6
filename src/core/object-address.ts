import { WinnowError } from "./errors.ts";

const SCHEME = "s3://";
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Parts that every server takes as they are, and that mean nothing to a file system. */
const PREFIX_PART = /^(?!\.{1,2}$)[A-Za-z0-9._=+@~-]+$/;
const PREFIX_UNITS_MAX = 500;

/** A place on an S3-compatible object store. */
export interface ObjectAddress {
  readonly bucket: string;
  /** Without slashes at its ends; empty for the bucket itself. */
  readonly prefix: string;
  /** `s3://BUCKET/PREFIX`, always written the same way. */
  readonly text: string;
}

/** True for what means an object store, well written or not. */
export function isObjectAddress(place: string): boolean {
  return place.toLowerCase().startsWith(SCHEME);
}

/** Throws `invalid_argument` for anything but `s3://BUCKET` and `s3://BUCKET/PREFIX`. */
export function parseObjectAddress(place: string): ObjectAddress {
  const [bucket = "", ...parts] = place.slice(SCHEME.length).replace(/\/+$/, "").split("/");
  const prefix = parts.join("/");
  const isSound =
    place.startsWith(SCHEME) &&
    BUCKET.test(bucket) &&
    prefix.length <= PREFIX_UNITS_MAX &&
    parts.every((part) => PREFIX_PART.test(part));
  if (!isSound) {
    throw new WinnowError("invalid_argument", `${place} is not the address of an object store.`, {
      hint: "Write s3://BUCKET/PREFIX, the prefix of letters, digits and . _ - = + @ ~ between single slashes.",
    });
  }
  return { bucket, prefix, text: prefix === "" ? `${SCHEME}${bucket}` : `${SCHEME}${bucket}/${prefix}` };
}
