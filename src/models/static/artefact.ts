import { crc32 } from "node:zlib";
import { z } from "zod/mini";
import { WinnowError } from "../../core/errors.ts";

const MAGIC = "WNSTATIC";
const FORMAT = 1;
const PREFIX_BYTES = MAGIC.length + 4;
const HEADER_BYTES_MAX = 65_536;

const headerSchema = z.object({
  format: z.literal(FORMAT),
  name: z.string(),
  source: z.string(),
  licence: z.string(),
  attribution: z.string(),
  unknownToken: z.int().check(z.nonnegative()),
  wordCharactersMax: z.int().check(z.positive()),
  dimension: z.int().check(z.positive(), z.multipleOf(4)),
  tokens: z.int().check(z.positive()),
  characterRuns: z.int().check(z.positive()),
  vocabularyBytes: z.int().check(z.positive()),
  crc32: z.int().check(z.nonnegative()),
});

export type ArtefactHeader = z.infer<typeof headerSchema>;

/** The parts of the shipped file; `python/distill/artefact.py` describes its layout and writes it. */
export interface Artefact {
  readonly header: ArtefactHeader;
  /** `first code point << 3 | class`, ascending; a run reaches to the next one's start. */
  readonly characterRuns: Uint32Array;
  /** What each token's vector is multiplied with; holds the token's weight as well. */
  readonly scales: Float32Array;
  /** `tokens * dimension` values. */
  readonly vectors: Int8Array;
  /** One token a line; its line number, from 0, is the token's id and its row in the vectors. */
  readonly vocabulary: string;
}

function damaged(what: string, cause?: unknown): WinnowError {
  return new WinnowError("embedder_failed", `The file of the built-in embedder is damaged: ${what}.`, {
    hint: "Install winnow-search again.",
    cause,
  });
}

function parseHeader(bytes: Buffer, length: number): ArtefactHeader {
  try {
    return z.parse(headerSchema, JSON.parse(bytes.toString("utf8", PREFIX_BYTES, PREFIX_BYTES + length)));
  } catch (error) {
    throw damaged("its header cannot be read", error);
  }
}

/**
 * Splits the file into its parts and checks length and checksum. The arrays are views of `bytes`, which must not change
 * afterwards. Throws `embedder_failed` on anything that is not a whole file of this format.
 */
export function parseArtefact(bytes: Buffer): Artefact {
  if (bytes.length < PREFIX_BYTES || bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) {
    throw damaged("it does not start as one");
  }
  const headerBytes = bytes.readUInt32LE(MAGIC.length);
  const start = PREFIX_BYTES + headerBytes;
  if (headerBytes > HEADER_BYTES_MAX || start > bytes.length) throw damaged("its header is cut off");
  const header = parseHeader(bytes, headerBytes);
  const { tokens, dimension, characterRuns, vocabularyBytes } = header;
  const sizes = [4 * characterRuns, 4 * tokens, tokens * dimension, vocabularyBytes];
  const wanted = sizes.reduce((sum, size) => sum + size, start);
  if (bytes.length !== wanted) throw damaged(`it has ${bytes.length} bytes instead of ${wanted}`);
  if (crc32(bytes.subarray(start)) !== header.crc32) throw damaged("its checksum is wrong");
  // A copy of the small aligned parts: a Buffer may start anywhere in its memory, a typed array of words may not.
  const words = Uint8Array.prototype.slice.call(bytes, start, start + 4 * (characterRuns + tokens)).buffer;
  const vectorsAt = start + 4 * (characterRuns + tokens);
  return {
    header,
    characterRuns: new Uint32Array(words, 0, characterRuns),
    scales: new Float32Array(words, 4 * characterRuns, tokens),
    vectors: new Int8Array(bytes.buffer, bytes.byteOffset + vectorsAt, tokens * dimension),
    vocabulary: bytes.toString("utf8", vectorsAt + tokens * dimension),
  };
}
