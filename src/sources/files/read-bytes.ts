import { createHash } from "node:crypto";
import type { FileSystem, OpenFile } from "./file-system.ts";

const READ_BYTES = 1024 * 1024;
/** Hex digits kept of SHA-256: 128 bits, at which accidental collisions do not occur. */
const HASH_DIGITS = 32;

export type ReadBytes =
  | { readonly bytes: Uint8Array; readonly hash: string; readonly mtimeMs: number }
  | { readonly tooLarge: number }
  | { readonly notAFile: true }
  | { readonly error: unknown };

/**
 * A whole file with its hash, bounded by `bytesMax` even when it grows while it is read. Never waits on a fifo.
 * Rejects only when the signal aborts.
 */
export async function readBytes(
  fileSystem: FileSystem,
  path: string,
  bytesMax: number,
  signal?: AbortSignal,
): Promise<ReadBytes> {
  const parts: Uint8Array[] = [];
  const outcome = await scanFile(fileSystem, path, bytesMax, (part) => parts.push(part.slice()), signal);
  if (!("hash" in outcome)) return outcome;
  return { bytes: parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts), ...outcome };
}

/** The hash alone, without holding the file in memory; undefined when it cannot be read or is too large. */
export async function hashFile(
  fileSystem: FileSystem,
  path: string,
  bytesMax: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const outcome = await scanFile(fileSystem, path, bytesMax, () => {}, signal);
  return "hash" in outcome ? outcome.hash : undefined;
}

export type Scanned =
  | { readonly hash: string; readonly mtimeMs: number }
  | Exclude<ReadBytes, { readonly bytes: Uint8Array }>;

/**
 * Hands a file out part by part, bounded like `readBytes`; a part is only valid during the call. What `onPart` throws is
 * returned as an error of the file.
 */
export async function scanFile(
  fileSystem: FileSystem,
  path: string,
  bytesMax: number,
  onPart: (part: Uint8Array) => void,
  signal?: AbortSignal,
): Promise<Scanned> {
  signal?.throwIfAborted();
  let file: OpenFile;
  try {
    file = await fileSystem.open(path);
  } catch (error) {
    return { error };
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return { notAFile: true };
    if (stat.size > bytesMax) return { tooLarge: stat.size };
    const hash = createHash("sha256");
    const buffer = new Uint8Array(Math.min(READ_BYTES, Math.max(1, stat.size + 1)));
    let total = 0;
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer);
      if (bytesRead === 0) break;
      total += bytesRead;
      if (total > bytesMax) return { tooLarge: total };
      const part = buffer.subarray(0, bytesRead);
      hash.update(part);
      onPart(part);
    }
    return { hash: hash.digest("hex").slice(0, HASH_DIGITS), mtimeMs: stat.mtimeMs };
  } catch (error) {
    signal?.throwIfAborted();
    return { error };
  } finally {
    await file.close().catch(() => {});
  }
}
