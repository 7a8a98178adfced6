import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/**
 * The part of `node:crypto` that rendering uses, for the browser: its own digests are asynchronous, and are missing from
 * pages that were opened as a file. The build puts this in the place of `node:crypto`.
 */
export function createHash(algorithm: string): {
  update(text: string): ReturnType<typeof createHash>;
  digest(encoding: "hex"): string;
} {
  if (algorithm !== "sha256") throw new Error(`There is no ${algorithm} here.`);
  const state = sha256.create();
  const hash = {
    update(text: string) {
      state.update(utf8ToBytes(text));
      return hash;
    },
    digest: () => bytesToHex(state.digest()),
  };
  return hash;
}
