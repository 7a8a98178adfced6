import { open } from "node:fs/promises";
import { TEMPLATE_UNITS_MAX } from "../agent/profiles/prompt-template.ts";
import { systemErrorCode, WinnowError } from "../core/errors.ts";

/** A unit of UTF-16 is at most three bytes of UTF-8; a byte order mark and line ends come on top. */
const FILE_BYTES_MAX = 4 * TEMPLATE_UNITS_MAX;

/** A prompt template that the caller keeps in a file. */
export interface PromptFile {
  readonly name: string;
  readonly template: string;
}

/**
 * Reads a template, UTF-8. Rejects with `invalid_argument` when the file cannot be read or is no text, and with
 * `limit_exceeded` when it is far too large; whether it holds what a template needs is checked where it is used.
 */
export async function readPromptFile(path: string): Promise<PromptFile> {
  const bytes = await readStart(path);
  if (bytes.length > FILE_BYTES_MAX) {
    throw new WinnowError("limit_exceeded", `${path} is larger than a prompt may be (${FILE_BYTES_MAX} bytes).`, {
      hint: "Give the file that holds the prompt alone.",
    });
  }
  try {
    return { name: path, template: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch (error) {
    throw new WinnowError("invalid_argument", `${path} is not UTF-8 text.`, {
      hint: "Save the prompt as UTF-8.",
      cause: error,
    });
  }
}

/** The file's bytes, at most one beyond the limit: a device or a log is not read to its end. */
async function readStart(path: string): Promise<Buffer> {
  try {
    const file = await open(path);
    try {
      const buffer = Buffer.alloc(FILE_BYTES_MAX + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
        length += bytesRead;
        if (bytesRead === 0 || length === buffer.length) return buffer.subarray(0, length);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = systemErrorCode(error);
    const why = code === "ENOENT" ? "There is no such file" : `It cannot be read (${code ?? "unknown error"})`;
    throw new WinnowError("invalid_argument", `--prompt ${path}: ${why}.`, {
      hint: "Give a text file that holds {query}.",
      cause: error,
    });
  }
}
