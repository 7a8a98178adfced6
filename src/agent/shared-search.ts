import { createHash } from "node:crypto";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";

/** Answers kept for one corpus; the oldest goes first. */
const ANSWERS_MAX = 1_000;

interface Signalled {
  readonly signal?: AbortSignal;
}

/**
 * The same corpus for several runs at once: a query that one of them has asked, or is asking, is not put to the store
 * again. Two queries are the same when everything in them is, what is excluded included, and the corpus has the same
 * generation. Failures are shared by those who wait for them and are not kept. The store gets `signal` in place of the
 * askers' own, so that no asker can spoil another's answer; it must abort when theirs do.
 */
export function sharedCorpus(corpus: CorpusReader, signal: AbortSignal): CorpusReader {
  const answers = new Map<string, Promise<unknown>>();

  async function ask<Query extends Signalled, Answer>(
    method: string,
    query: Query,
    put: (query: Query) => Promise<Answer>,
  ): Promise<Answer> {
    query.signal?.throwIfAborted();
    const { generation } = await corpus.info();
    const key = keyOf(method, generation, query);
    const known = answers.get(key) as Promise<Answer> | undefined;
    if (known !== undefined) return known;
    const answer = put({ ...query, signal });
    answers.set(key, answer);
    answer.catch(() => {
      if (answers.get(key) === answer) answers.delete(key);
    });
    const [oldest] = answers.keys();
    if (answers.size > ANSWERS_MAX && oldest !== undefined) answers.delete(oldest);
    return answer;
  }

  const { documentsOf, stale } = corpus;
  return {
    name: corpus.name,
    info: () => corpus.info(),
    ...(documentsOf === undefined ? {} : { documentsOf: (key: string) => documentsOf.call(corpus, key) }),
    ...(stale === undefined ? {} : { stale: (ids: readonly string[]) => stale.call(corpus, ids) }),
    find: (query) => ask("find", query, (asked) => corpus.find(asked)),
    grep: (query) => ask("grep", query, (asked) => corpus.grep(asked)),
    read: (query) => ask("read", query, (asked) => corpus.read(asked)),
    documents: (query) => corpus.documents(query),
    close: () => corpus.close(),
  };
}

/** A hash, because what a late query excludes may run to many kilobytes. Sets count as such: their order is nothing. */
function keyOf(method: string, generation: number, query: Signalled): string {
  const { signal: _, ...asked } = query;
  const text = JSON.stringify([method, generation, asked], (_name, value: unknown) =>
    value instanceof Set ? [...value].sort() : value,
  );
  return createHash("sha256").update(text).digest("base64");
}
