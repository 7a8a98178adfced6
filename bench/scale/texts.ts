// The text that the scale bench indexes: Markdown files of English words as real text spreads them, each document about
// a topic of its own, so that vectors lie in clusters and words have the frequencies that an index has to cope with.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { seededRandom } from "../../src/core/clock.ts";
import { pick, zipf } from "../../src/eval/world/zipf.ts";
import { readShippedArtefact } from "../../src/models/static/shipped-artefact.ts";

/** Sections of a document; each becomes one chunk. */
export const SECTIONS = 8;
const DOCUMENTS_PER_FOLDER = 250;
const TOPICS = 5_000;
const TOPIC_WORDS = 60;
/** How much of a text is about its topic. */
const TOPIC_SHARE = 0.3;
const SENTENCE_WORDS = 14;
const PARAGRAPH_SENTENCES = 4;
/** Words that are no more than letters tell nothing. */
const WORD_UNITS_MIN = 3;
const QUERY_WORDS_MIN = 5;
const QUERY_WORDS_MAX = 9;

/** Text of one seed: equal calls in equal order give equal text. */
export class ScaleTexts {
  readonly #random: () => number;
  readonly #words: readonly string[];
  readonly #rank: (random: number) => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    // The vocabulary of the embedder's tokenizer: real words, the frequent ones first.
    this.#words = readShippedArtefact()
      .vocabulary.split("\n")
      .filter((word) => /^[a-z]+$/.test(word) && word.length >= WORD_UNITS_MIN);
    this.#rank = zipf(this.#words.length);
  }

  #word(topic: readonly string[]): string {
    return this.#random() < TOPIC_SHARE
      ? pick(topic, this.#random)
      : (this.#words[this.#rank(this.#random())] ?? "word");
  }

  /** The words of a topic are the same in every document about it. */
  #topic(): readonly string[] {
    const random = seededRandom(Math.floor(this.#random() * TOPICS));
    return Array.from({ length: TOPIC_WORDS }, () => pick(this.#words, random));
  }

  document(wordsPerSection: number): string {
    const topic = this.#topic();
    const words = (count: number) => Array.from({ length: count }, () => this.#word(topic));
    const sections = Array.from({ length: SECTIONS }, () => {
      const sentences = Array.from(
        { length: Math.ceil(wordsPerSection / SENTENCE_WORDS) },
        () => `${words(SENTENCE_WORDS).join(" ")}.`,
      );
      const paragraphs = sentences.map((sentence, i) =>
        i % PARAGRAPH_SENTENCES === 0 ? `\n\n${sentence}` : ` ${sentence}`,
      );
      return `## ${words(3).join(" ")}${paragraphs.join("")}\n`;
    });
    return `# ${words(4).join(" ")}\n\n${sections.join("\n")}`;
  }

  /** As a question has them: some words of a topic, some of no topic. */
  query(): string {
    const topic = this.#topic();
    const count = QUERY_WORDS_MIN + Math.floor(this.#random() * (QUERY_WORDS_MAX - QUERY_WORDS_MIN + 1));
    return Array.from({ length: count }, (_, i) => (i % 2 === 0 ? pick(topic, this.#random) : this.#word(topic))).join(
      " ",
    );
  }
}

/** Writes files for so many chunks, `SECTIONS` in each. */
export async function writeTexts(folder: string, chunks: number, wordsPerChunk: number): Promise<void> {
  const texts = new ScaleTexts(1);
  for (let i = 0; i * SECTIONS < chunks; i++) {
    const part = join(folder, String(Math.floor(i / DOCUMENTS_PER_FOLDER)).padStart(4, "0"));
    if (i % DOCUMENTS_PER_FOLDER === 0) await mkdir(part, { recursive: true });
    await writeFile(join(part, `${i}.md`), texts.document(wordsPerChunk));
  }
}
