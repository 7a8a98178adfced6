import { seededRandom } from "../core/clock.ts";
import { shownText } from "../core/text.ts";
import type { TokenCounter } from "../core/token-counter.ts";
import type { Chunk } from "../core/types.ts";

const WORDS =
  "amber basin cedar delta ember fjord grove haven islet jetty knoll lagoon marsh north oasis prairie quarry ridge shore tundra upland valley willow".split(
    " ",
  );

/** Documents of several chunks made of a small vocabulary, for tests that need a corpus but no meaning. */
export function randomChunks(documents: number, chunksEach: number, counter: TokenCounter, seed = 1): Chunk[] {
  const random = seededRandom(seed);
  const word = (): string => WORDS[Math.floor(random() * WORDS.length)] ?? "amber";
  const chunks: Chunk[] = [];
  for (let d = 0; d < documents; d++) {
    let start = 0;
    for (let index = 0; index < chunksEach; index++) {
      const length = 20 + Math.floor(random() * 200);
      const text = `${Array.from({ length }, word).join(" ")}. Item ${d}-${index}.\n`;
      chunks.push({
        id: `doc-${d}#${index}`,
        documentId: `doc-${d}`,
        index,
        count: chunksEach,
        start,
        end: start + text.length,
        line: index + 1,
        text,
        tokens: counter.count(shownText(text)),
        title: `${word()} ${word()} ${d}`,
        headings: [],
        uri: `doc-${d}.md`,
        metadata: { number: d },
      });
      start += text.length;
    }
  }
  return chunks;
}
