import { describe, expect, it } from "vitest";
import type { ShownChunk } from "../../context/rendered.ts";
import { Pool, SHORT_TERMS } from "./pool.ts";
import { readQuestion } from "./question.ts";
import { ranked, scoreItems } from "./score.ts";
import { spread } from "./spread.ts";

const CODE = `\`\`\`js\n${"const client = new Client(origin)\n".repeat(12)}\`\`\``;
/** Words that no question asks for: they make a chunk long. */
const filler = (salt: string): string =>
  Array.from(
    { length: SHORT_TERMS * 3 },
    (_, i) => `${salt}${"abcdefghij"[i % 10]}${"klmnopqrst"[Math.floor(i / 10) % 10]}`,
  )
    .join(" ")
    .concat(".");

function chunk(document: string, number: number, text: string): ShownChunk {
  const shownId = `${document}.${number}`;
  return { key: shownId, shownId, shownDocumentId: document, index: number, title: document, headings: [], text };
}

function best(chunks: readonly ShownChunk[], text: string): string | undefined {
  const question = readQuestion(text);
  const pool = new Pool(chunks);
  const evidence = { searches: [], chunks: [], pruned: [], last: [], joined: new Set<string>() };
  const scores = scoreItems(question, pool, evidence, spread(question, pool));
  return ranked(scores)[0]?.chunk.shownId;
}

describe("technical documentation", () => {
  it("is told by the share of code in what is in view", () => {
    const prose = chunk("a", 0, "They say that Ada Helm founded the foundry. ".repeat(8));
    const code = chunk("b", 0, `How to connect.\n\n${CODE}\n`);
    expect(new Pool([]).technical).toBe(0);
    expect(new Pool([prose]).technical).toBe(0);
    expect(new Pool([code]).technical).toBe(1);
    const between = new Pool([prose, prose, prose, code]).technical;
    expect(between).toBeGreaterThan(0);
    expect(between).toBeLessThan(1);
  });

  const question = "How long are idle sockets kept, and where is the limit?";
  /** The first says much of what is asked, in the others a name leads from a sentence that says some of it. */
  const pages = (end: string) => [
    chunk("direct", 0, `${filler("u")} Idle sockets. Kept. How long: see the limit. Sockets idle, limit kept. ${end}`),
    chunk("named", 0, `${filler("v")} Where idle sockets are kept is up to Keeper Pool. ${end}`),
    chunk("reached", 0, `${filler("w")} The limit of Keeper Pool is long. ${end}`),
    chunk("other", 0, `${filler("x")} Nothing. ${end}`),
  ];

  it("puts what is about the question before what names lead to; prose does not", () => {
    const code = `\n\n${CODE.repeat(4)}\n`;
    expect(best(pages(code), question)).toBe("direct.0");
    expect(best(pages(""), question)).not.toBe("direct.0");
  });

  it("prefers a document of which more is about the question", () => {
    const told = `How long sockets are kept.\n\n${CODE}\n`;
    const chunks = [
      chunk("once", 0, told),
      chunk("once", 1, `Something else.\n\n${CODE}\n`),
      chunk("twice", 0, told),
      chunk("twice", 1, `Idle sockets, and the limit.\n\n${CODE}\n`),
    ];
    expect(best(chunks, "How long are sockets kept?")).toBe("twice.0");
  });
});
