import type { WrittenChroma } from "../../config/corpora.ts";
import type { Role } from "../../core/corpus-role.ts";
import { WinnowError } from "../../core/errors.ts";
import { didYouMean } from "../../core/suggest.ts";
import { RECORD_KEY } from "../../retrieval/chroma/shape/detect-shape.ts";
import { MINILM_DIMENSION } from "../../retrieval/chroma/shape/key-hints.ts";
import { MINILM, NO_EMBEDDER, UNKNOWN_EMBEDDER } from "./attached-entry.ts";
import type { InspectedCollection } from "./inspect-collections.ts";

const EMBEDDERS: readonly string[] = [MINILM, NO_EMBEDDER];
const SERVICES = /^(openai-compatible|ollama):\S/;

/** What a user says of a collection; it overrules what was found. */
export interface ShapeFlags {
  readonly documentKey?: string | undefined;
  readonly orderKey?: string | undefined;
  readonly titleKey?: string | undefined;
  readonly uriKey?: string | undefined;
  readonly role?: Role | undefined;
  readonly embedder?: string | undefined;
}

/** How the collection is reached. */
export type PlaceFlags = Pick<WrittenChroma, "chroma" | "tenant" | "database" | "apiKeyEnv" | "inPlace">;

/** Something that only a person can know. */
export interface OpenQuestion {
  readonly flag: "documentKey" | "embedder";
  readonly question: string;
  /** What is taken when nobody answers. */
  readonly fallback: string;
  /** What an answer of yes would mean, where it is not the fallback. */
  readonly suggestion: string;
}

export interface DecidedEntry {
  readonly entry: WrittenChroma;
  readonly questions: readonly OpenQuestion[];
}

/**
 * The entry for the configuration: flags over what was found. What is left open is taken on the safe side, and asked.
 * Throws `invalid_argument` for a key that no record has, and for an embedder that cannot have made the vectors.
 */
export function decideEntry(inspected: InspectedCollection, flags: ShapeFlags, place: PlaceFlags): DecidedEntry {
  const { shape, info } = inspected;
  for (const key of [flags.documentKey, flags.orderKey, flags.titleKey, flags.uriKey]) checkKey(key, inspected);
  if (flags.embedder !== undefined) checkEmbedder(flags.embedder, inspected);
  const questions = openQuestions(inspected, flags);
  const orderKey = flags.orderKey ?? (flags.documentKey === RECORD_KEY ? undefined : shape.orderKey?.value);
  const titleKey = flags.titleKey ?? shape.titleKey;
  const uriKey = flags.uriKey ?? shape.uriKey;
  const { tenant, database, apiKeyEnv, inPlace, chroma } = place;
  const entry: WrittenChroma = {
    chroma,
    collection: info.name,
    ...(tenant === undefined ? {} : { tenant }),
    ...(database === undefined ? {} : { database }),
    ...(apiKeyEnv === undefined ? {} : { apiKeyEnv }),
    role: flags.role ?? shape.role.value,
    documentKey: flags.documentKey ?? shape.documentKey.value,
    ...(orderKey === undefined ? {} : { orderKey }),
    ...(titleKey === undefined ? {} : { titleKey }),
    ...(uriKey === undefined ? {} : { uriKey }),
    embedder: flags.embedder ?? foundEmbedder(inspected),
    ...(inPlace === true ? { inPlace } : {}),
  };
  return { entry, questions };
}

function foundEmbedder({ shape, info }: InspectedCollection): string {
  if (shape.embedder.sure) return shape.embedder.value ?? NO_EMBEDDER;
  return info.dimension === null ? NO_EMBEDDER : UNKNOWN_EMBEDDER;
}

function openQuestions({ shape, info }: InspectedCollection, flags: ShapeFlags): OpenQuestion[] {
  const questions: OpenQuestion[] = [];
  const { documentKey, embedder } = shape;
  if (!documentKey.sure && flags.documentKey === undefined) {
    questions.push({
      flag: "documentKey",
      question: `Which metadata key do the records of one document of ${info.name} share (${documentKey.why}; ${RECORD_KEY}: every record is a document)?`,
      fallback: documentKey.value,
      suggestion: documentKey.value,
    });
  }
  if (!embedder.sure && flags.embedder === undefined && info.dimension !== null) {
    questions.push({
      flag: "embedder",
      question: `What made the vectors of ${info.name} (${embedder.why})? minilm, openai-compatible:MODEL, ollama:MODEL, or none for words only`,
      fallback: UNKNOWN_EMBEDDER,
      suggestion: embedder.value ?? NO_EMBEDDER,
    });
  }
  return questions;
}

function checkKey(key: string | undefined, { shape, info, records }: InspectedCollection): void {
  if (key === undefined || key === RECORD_KEY || records === 0) return;
  const known = shape.keys.map((fact) => fact.key);
  if (known.includes(key)) return;
  throw new WinnowError(
    "invalid_argument",
    `No record of ${info.name} was seen with the key "${key}".${didYouMean(key, known)}`,
    {
      hint: `Keys: ${known.join(", ")}.`,
    },
  );
}

function checkEmbedder(embedder: string, { info }: InspectedCollection): void {
  if (!EMBEDDERS.includes(embedder) && !SERVICES.test(embedder)) {
    throw new WinnowError("invalid_argument", `There is no embedder "${embedder}".${didYouMean(embedder, EMBEDDERS)}`, {
      hint: "Embedders of attached collections: minilm, none, openai-compatible:MODEL, ollama:MODEL.",
    });
  }
  if (embedder === MINILM && info.dimension !== null && info.dimension !== MINILM_DIMENSION) {
    throw new WinnowError(
      "invalid_argument",
      `The vectors of ${info.name} have ${info.dimension} numbers; all-MiniLM-L6-v2 makes ${MINILM_DIMENSION}.`,
      { hint: "Name what made them, or use --embedder none." },
    );
  }
}
