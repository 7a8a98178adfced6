import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { toWinnowError, WinnowError } from "../../core/errors.ts";
import { ARCHIVE_SHA256, inPartialFolder, unpackModel } from "./model-archive.ts";

/** The archive that Chroma's default embedding function downloads, 79 MiB. */
const ARCHIVE_ADDRESS = "https://chroma-onnx-models.s3.amazonaws.com/all-MiniLM-L6-v2/onnx.tar.gz";
const ARCHIVE_BYTES_MAX = 128 * 2 ** 20;
/** Without a byte for so long the download is given up. */
const STALL_MS = 60_000;
const ARCHIVE_FILE = "onnx.tar.gz";

export interface DownloadOptions {
  /** Takes the model's files; see `ownFolder`. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  /** Told of the bytes so far and of all bytes, where the server says. */
  readonly onProgress?: ((bytes: number, total: number | undefined) => void) | undefined;
  /** Replaced in tests. */
  readonly address?: string;
  readonly sha256?: string;
  readonly stallMs?: number;
}

/**
 * Downloads the model once, when the user asked for it: Chroma's archive, checked against its sum, unpacked into
 * `folder`, which appears whole or not at all. Rejects with `embedder_failed` (retryable where the network is to blame),
 * `timeout`, `cancelled`, `disk_full` or `limit_exceeded`.
 */
export async function downloadModel(options: DownloadOptions): Promise<void> {
  const { folder, signal, sha256 = ARCHIVE_SHA256 } = options;
  await inPartialFolder(folder, signal, async (partial) => {
    const archive = join(partial, ARCHIVE_FILE);
    await fetchTo(archive, options);
    await unpackModel(archive, partial, { sha256, signal });
    await rm(archive);
  });
}

async function fetchTo(path: string, options: DownloadOptions): Promise<void> {
  const { address = ARCHIVE_ADDRESS, signal, onProgress, stallMs = STALL_MS } = options;
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new DOMException("No answer.", "TimeoutError")), stallMs);
  try {
    const either = signal === undefined ? stalled.signal : AbortSignal.any([signal, stalled.signal]);
    const response = await fetch(address, { signal: either });
    if (!response.ok || response.body === null) {
      throw new WinnowError("embedder_failed", `${address} answered with status ${response.status}.`, {
        hint: "Try again later, or copy Chroma's cache from another machine and name it with WINNOW_MINILM.",
        retryable: true,
      });
    }
    const announced = Number(response.headers.get("content-length") ?? Number.NaN);
    const total = Number.isFinite(announced) ? announced : undefined;
    const file = await open(path, "wx");
    try {
      let bytes = 0;
      for await (const chunk of response.body) {
        timer.refresh();
        bytes += chunk.length;
        if (bytes > ARCHIVE_BYTES_MAX) throw tooLarge(address);
        await file.writeFile(chunk);
        onProgress?.(bytes, total);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw failureOf(error, address, [signal, stalled.signal]);
  } finally {
    clearTimeout(timer);
  }
}

function failureOf(error: unknown, address: string, signals: readonly (AbortSignal | undefined)[]): WinnowError {
  const aborted = signals.find((one) => one?.aborted === true);
  if (aborted !== undefined) return toWinnowError(aborted.reason);
  const known = toWinnowError(error, "embedder_failed");
  if (WinnowError.isInstance(error) || known.code !== "embedder_failed") return known;
  return new WinnowError("embedder_failed", `The model cannot be downloaded from ${address}: ${known.message}.`, {
    hint: "Check the network, or copy Chroma's cache from another machine and name it with WINNOW_MINILM.",
    retryable: true,
    cause: error,
  });
}

function tooLarge(address: string): WinnowError {
  return new WinnowError("limit_exceeded", `${address} gives more than ${ARCHIVE_BYTES_MAX} bytes.`, {
    hint: "That is not the model; check what answers for this address.",
  });
}
