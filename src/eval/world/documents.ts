import { seededRandom } from "../../core/clock.ts";
import type { TokenCounter } from "../../core/token-counter.ts";
import { type Evidence, mixSeed, type Plant, type WorldPlan } from "./plan.ts";
import { Prose } from "./prose.ts";

/** A chunk is filled up to this many tokens. */
export const WORLD_CHUNK_TOKENS = 512;
const PARAGRAPH_SENTENCES_MIN = 3;
const PARAGRAPH_SENTENCES_MAX = 7;
/** A blank line between paragraphs, at most. */
const BREAK_TOKENS = 1;
/** Words whose counts are remembered; the vocabulary is far smaller, names are not. */
const CACHED_WORDS_MAX = 200_000;

/** Where a fact stands. Offsets are UTF-16 units of the document's text; `chunk` counts the world's own chunks from 0. */
export interface PlacedEvidence extends Evidence {
  readonly document: string;
  readonly chunk: number;
  readonly start: number;
  readonly end: number;
}

export interface WorldDocument {
  readonly id: string;
  readonly text: string;
  /** Tokens, summed word by word: within a few of the true count. */
  readonly tokens: number;
  readonly evidence: readonly PlacedEvidence[];
}

/** Neutral, and of one length: a document's name tells nothing of it. */
export function worldDocumentId(position: number): string {
  return `d${String(position + 1).padStart(7, "0")}`;
}

/** Writes the documents of a plan, one at a time and each by itself; none is kept. */
export function* worldDocuments(plan: WorldPlan, counter: TokenCounter): Generator<WorldDocument> {
  const tokens = wordTokens(counter);
  for (const [position, chunks] of plan.documents.entries()) {
    yield writeDocument(plan, position, chunks, tokens);
  }
}

interface Sentence {
  readonly text: string;
  readonly tokens: number;
  readonly evidence?: Evidence;
}

function writeDocument(
  plan: WorldPlan,
  position: number,
  chunks: number,
  tokensOf: (text: string) => number,
): WorldDocument {
  const random = seededRandom(mixSeed(plan.seed, position + 1));
  const prose = new Prose(random, plan.names);
  const plants = plan.plants.get(position) ?? [];
  const id = worldDocumentId(position);
  const evidence: PlacedEvidence[] = [];
  let text = "";
  let tokens = 0;
  for (let chunk = 0; chunk < chunks; chunk++) {
    const planted = plants.filter((plant) => plant.chunk === chunk);
    for (const [i, paragraph] of writeChunk(prose, planted, random, tokensOf).entries()) {
      if (chunk > 0 || i > 0) text += "\n\n";
      for (const [j, sentence] of paragraph.entries()) {
        if (j > 0) text += " ";
        const start = text.length;
        text += sentence.text;
        tokens += sentence.tokens;
        if (sentence.evidence === undefined) continue;
        evidence.push({ ...sentence.evidence, document: id, chunk, start, end: text.length });
      }
      tokens += BREAK_TOKENS;
    }
  }
  return { id, text, tokens, evidence };
}

/** Paragraphs of about `WORLD_CHUNK_TOKENS`, with the planted sentences anywhere among the others. */
function writeChunk(
  prose: Prose,
  plants: readonly Plant[],
  random: () => number,
  tokensOf: (text: string) => number,
): Sentence[][] {
  const sentences = plants.map(({ template, subject, object, evidence }): Sentence => {
    const text = prose.fill(template, subject.shown, object?.shown);
    return { text, tokens: tokensOf(text), ...(evidence === undefined ? {} : { evidence }) };
  });
  const planted = sentences.length;
  let left = WORLD_CHUNK_TOKENS - sentences.reduce((sum, { tokens }) => sum + tokens, 0);
  for (;;) {
    const text = prose.sentence();
    const tokens = tokensOf(text) + BREAK_TOKENS;
    if (tokens > left) break;
    left -= tokens;
    sentences.push({ text, tokens: tokens - BREAK_TOKENS });
  }
  for (let i = 0; i < planted; i++) {
    const j = Math.floor(random() * sentences.length);
    const [a, b] = [sentences[i], sentences[j]];
    if (a !== undefined && b !== undefined) [sentences[i], sentences[j]] = [b, a];
  }
  const paragraphs: Sentence[][] = [];
  while (sentences.length > 0) {
    const span = PARAGRAPH_SENTENCES_MAX - PARAGRAPH_SENTENCES_MIN + 1;
    paragraphs.push(sentences.splice(0, PARAGRAPH_SENTENCES_MIN + Math.floor(random() * span)));
  }
  return paragraphs;
}

/**
 * Counts word by word, each word with the blank before it, and remembers the counts: a vocabulary's tokens rarely cross
 * a blank, and encoding every sentence of a large world anew would cost most of the time.
 */
function wordTokens(counter: TokenCounter): (text: string) => number {
  const cache = new Map<string, number>();
  return (text) => {
    let sum = 0;
    for (const word of text.split(" ")) {
      let tokens = cache.get(word);
      if (tokens === undefined) {
        if (cache.size >= CACHED_WORDS_MAX) cache.clear();
        tokens = counter.count(` ${word}`);
        cache.set(word, tokens);
      }
      sum += tokens;
    }
    return sum;
  };
}
