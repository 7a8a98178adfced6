import { MODIFIED_KEY } from "../../core/change-time.ts";
import type { Role } from "../../core/corpus-role.ts";
import type { Filter } from "../../core/filter.ts";
import { matchesFilter } from "../../core/filter-match.ts";
import type { Hit, Notice } from "../../core/types.ts";
import { type CorpusReader, chunkKey } from "../../retrieval/corpus-reader.ts";
import { coverageOf, type QuestionWord, questionWords } from "../../retrieval/find/question-words.ts";
import { spanName } from "./calendar.ts";
import { type DocumentKind, isNamed, readKinds } from "./read-kinds.ts";
import { type QuestionTime, readTime } from "./read-time.ts";

/** Places at the top among which a kind that the question asks for has one. */
const TOP = 3;
/** Documents of the time that join a list though the question without its time has not found them. */
const ADDED_DOCUMENTS_MAX = 5;

/** What a question says of the documents that it wants first, besides its words. */
export interface QuestionOrder {
  readonly time: QuestionTime | undefined;
  /** The question without the words of its time. */
  readonly text: string;
  readonly kinds: readonly DocumentKind[];
  readonly roles: ReadonlyMap<string, Role>;
  readonly words: readonly QuestionWord[];
}

/**
 * What the question says of time, and of kinds where corpora of several roles are asked; undefined where it says nothing.
 * Relative words are meant from `now`, milliseconds since the epoch.
 */
export async function readOrder(
  question: string,
  corpora: readonly CorpusReader[],
  now: number,
): Promise<QuestionOrder | undefined> {
  const roles = new Map(corpora.flatMap(({ name, role }) => (role === undefined ? [] : [[name, role] as const])));
  const kinds = new Set(roles.values()).size > 1 ? readKinds(question) : [];
  const time = await readTime(question, now);
  if (time === undefined && kinds.length === 0) return undefined;
  const text = time === undefined ? question : question.replace(time.text, " ");
  return { time, text, kinds, roles, words: questionWords(text) };
}

/** Accepts the documents that changed within the time. */
function timeFilter({ start, end }: QuestionTime): Filter {
  const bound = (operator: ">=" | "<", time: number | undefined) =>
    time === undefined ? [] : [{ key: MODIFIED_KEY, operator, values: [new Date(time).toISOString()] } as const];
  return [...bound(">=", start), ...bound("<", end)];
}

/** Whether the hit's document is of the time that the question names. */
export function isOfTime({ time }: QuestionOrder, hit: Hit | undefined): boolean {
  return time !== undefined && hit !== undefined && matchesFilter(timeFilter(time), hit.chunk.metadata);
}

/**
 * The hits, best first, with the best of the time among them: `ask` puts the same query to the documents that a filter
 * accepts. The scores of those are of their own list.
 */
export async function gather(
  order: QuestionOrder,
  hits: readonly Hit[],
  ask: (where: Filter) => Promise<readonly Hit[]>,
): Promise<readonly Hit[]> {
  if (order.time === undefined) return hits;
  const keyOf = ({ corpus, chunk }: Hit): string => chunkKey(corpus, chunk.id);
  const documentOf = ({ corpus, chunk }: Hit): string => chunkKey(corpus, chunk.documentId);
  const known = new Set(hits.map(documentOf));
  const dated = await ask(timeFilter(order.time));
  const added = new Set(dated.map(documentOf).filter((document) => !known.has(document)));
  const kept = new Set([...known, ...[...added].slice(0, ADDED_DOCUMENTS_MAX)]);
  const first = dated.filter((hit) => kept.has(documentOf(hit)));
  const keys = new Set(first.map(keyOf));
  return [...first, ...hits.filter((hit) => !keys.has(keyOf(hit)))];
}

/**
 * The items in the order that the question asks for, each once, else as they are: those of its time come first, and the
 * best of each kind that it asks for has one of the first places. `hitOf` gives an item's best hit.
 */
export function arrange<Item>(
  order: QuestionOrder,
  items: readonly Item[],
  hitOf: (item: Item) => Hit | undefined,
): Item[] {
  const within = items.filter((item) => isOfTime(order, hitOf(item)));
  const inTime = within.length === 0 ? [...items] : [...within, ...items.filter((item) => !within.includes(item))];
  return withKinds(order, inTime, hitOf);
}

function withKinds<Item>(order: QuestionOrder, items: Item[], hitOf: (item: Item) => Hit | undefined): Item[] {
  const top = items.slice(0, TOP);
  const reserved = new Set<Item>();
  for (const kind of order.kinds) {
    const best = bestOfKind(order, kind, items, hitOf);
    if (best === undefined) continue;
    reserved.add(best);
    if (top.includes(best)) continue;
    const place = top.findLastIndex((item, i) => i > 0 && !reserved.has(item));
    if (place !== -1) top[place] = best;
  }
  const first = items.filter((item) => top.includes(item));
  return [
    ...first.filter((item) => !lifted(item)),
    ...first.filter(lifted),
    ...items.filter((item) => !top.includes(item)),
  ];

  function lifted(item: Item): boolean {
    return items.indexOf(item) >= TOP;
  }
}

/** The best whose name says that it is of the kind, else the best of its role. */
function bestOfKind<Item>(
  { roles, words }: QuestionOrder,
  kind: DocumentKind,
  items: readonly Item[],
  hitOf: (item: Item) => Hit | undefined,
): Item | undefined {
  const ofRole = items.filter((item) => {
    const hit = hitOf(item);
    // The nearest of a corpus by meaning alone is no find.
    return hit !== undefined && roles.get(hit.corpus) === kind.role && coverageOf(words, [hit]) > 0;
  });
  return (
    ofRole.find((item) => isNamed(kind, hitOf(item)?.chunk ?? { documentId: "", title: "", metadata: {} })) ?? ofRole[0]
  );
}

/** Tells which time was understood. */
export function timeNotice({ time }: QuestionOrder): Notice[] {
  if (time === undefined) return [];
  const message = `Understood "${time.text}" as a time: documents of ${spanName(time)} come first.`;
  return [{ code: "time_understood", message }];
}
