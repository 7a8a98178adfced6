import { changeRank } from "../../../core/change-time.ts";
import type { Role } from "../../../core/corpus-role.ts";
import { REPOSITORY_KEYS } from "../../../core/provenance.ts";
import type { ChromaMetadata } from "../collection.ts";
import { type KeyFact, keyFacts } from "./key-facts.ts";
import { KEY_HINTS, MINILM_DIMENSION, MINILM_FUNCTIONS } from "./key-hints.ts";

/** In place of a metadata key: every record is a document of its own. */
export const RECORD_KEY = "@id";

export interface SampledRecord {
  readonly id: string;
  readonly document: string | null;
  readonly metadata: ChromaMetadata | null;
}

/** What the collection says of itself. */
export interface CollectionFacts {
  readonly name: string;
  readonly dimension: number | null;
  readonly embeddingFunction: string | null;
  /** Model of the embedding function, where its configuration names one. */
  readonly embeddingModel?: string | undefined;
}

/** Something found, how, and whether it needs somebody's word. */
export interface Finding<T> {
  readonly value: T;
  /** False where the sample allows another reading. */
  readonly sure: boolean;
  /** One clause: what speaks for it. */
  readonly why: string;
}

export interface DetectedShape {
  readonly documentKey: Finding<string>;
  readonly orderKey: Finding<string> | undefined;
  readonly titleKey: string | undefined;
  readonly uriKey: string | undefined;
  /** Keys that say when a document last changed, best first. */
  readonly dateKeys: readonly string[];
  readonly repositoryKey: string | undefined;
  readonly role: Finding<Role>;
  /** `minilm`, or undefined where nobody can tell. */
  readonly embedder: Finding<"minilm" | undefined>;
  readonly keys: readonly KeyFact[];
  readonly sampled: number;
  /** Sampled records without a text: they can be found by their vector only, and are not shown. */
  readonly withoutText: number;
}

/** Share of the records that a key has to be on to say something about all of them. */
const NEARLY_ALL = 0.9;
const HALF = 0.5;

/** What a sample of a collection's records shows of its shape. Pure: the order of the records changes nothing. */
export function detectShape(records: readonly SampledRecord[], collection: CollectionFacts): DetectedShape {
  const facts = keyFacts(records.map(({ metadata }) => metadata));
  const byKey = new Map(facts.map((fact) => [fact.key, fact]));
  const role = detectRole(byKey, collection.name);
  const documentKey = detectDocumentKey(byKey, facts, role.value, records.length);
  const groups = groupBy(records, documentKey.value);
  return {
    documentKey,
    orderKey: detectOrderKey(byKey, groups),
    titleKey: firstHint(
      KEY_HINTS.title,
      byKey,
      (fact) => isText(fact) && fact.present >= HALF && isConstant(fact.key, groups),
    ),
    uriKey: firstHint(KEY_HINTS.place, byKey, (fact) => fact.places && fact.present >= NEARLY_ALL),
    dateKeys: dateKeysOf(facts),
    repositoryKey: firstHint(REPOSITORY_KEYS, byKey, isText),
    role,
    embedder: detectEmbedder(collection),
    keys: facts,
    sampled: records.length,
    withoutText: records.filter(({ document }) => document === null || document.trim() === "").length,
  };
}

type Facts = ReadonlyMap<string, KeyFact>;
type Groups = readonly (readonly SampledRecord[])[];

function detectRole(facts: Facts, name: string): Finding<Role> {
  const on = (keys: readonly string[]): string | undefined =>
    keys.find((key) => (facts.get(key)?.present ?? 0) >= HALF);
  const tool = on(KEY_HINTS.tool);
  if (tool !== undefined) return { value: "traces", sure: true, why: `records carry ${tool}` };
  const session = on(KEY_HINTS.session);
  const turn = on(KEY_HINTS.turn);
  if (session !== undefined) {
    const sure = turn !== undefined;
    return {
      value: "sessions",
      sure,
      why: `records carry ${[session, turn].filter((key) => key !== undefined).join(" and ")}`,
    };
  }
  const changelog = on(KEY_HINTS.changelog);
  if (changelog !== undefined) return { value: "changelog", sure: true, why: `records carry ${changelog}` };
  if (/change-?log|release-?notes/i.test(name)) return { value: "changelog", sure: true, why: "by its name" };
  const path = on([...KEY_HINTS.path, ...KEY_HINTS.document]);
  if (path !== undefined) return { value: "documents", sure: true, why: `records carry ${path}` };
  return { value: "other", sure: true, why: "nothing speaks for another role" };
}

/** The key that parts of one document share. A call of a tool is a document of its own, whatever session it is from. */
function detectDocumentKey(facts: Facts, all: readonly KeyFact[], role: Role, records: number): Finding<string> {
  if (role === "traces") return { value: RECORD_KEY, sure: true, why: "every record is one call" };
  const usable = (fact: KeyFact): boolean => isName(fact) && fact.present >= NEARLY_ALL;
  const lists = role === "sessions" ? [KEY_HINTS.session] : [KEY_HINTS.path, KEY_HINTS.document, KEY_HINTS.session];
  for (const hints of lists) {
    const key = firstHint(hints, facts, usable);
    if (key !== undefined)
      return { value: key, sure: true, why: `${facts.get(key)?.distinct} in ${records} sampled records` };
  }
  const place = all.find((fact) => usable(fact) && fact.places);
  if (place !== undefined) return { value: place.key, sure: false, why: "its values look like places" };
  const parts = firstHint(KEY_HINTS.order, facts, (fact) => fact.type === "whole" && fact.distinct < records);
  if (parts === undefined) return { value: RECORD_KEY, sure: true, why: "no key is shared by several records" };
  return { value: RECORD_KEY, sure: false, why: `records carry ${parts}, but no key names their document` };
}

/** A key by which the records of a document differ and can be put in order. */
function detectOrderKey(facts: Facts, groups: Groups): Finding<string> | undefined {
  const several = groups.filter((group) => group.length > 1);
  if (several.length === 0) return undefined;
  const ordered = (fact: KeyFact): boolean => fact.present >= NEARLY_ALL && (isNumber(fact) || fact.dates);
  const parts = several.reduce((sum, group) => sum + group.length, 0);
  const spread = (key: string): number =>
    several.reduce((sum, group) => sum + new Set(group.map((record) => String(record.metadata?.[key]))).size, 0) /
    parts;
  const hinted = KEY_HINTS.order.filter((key) => {
    const fact = facts.get(key);
    return fact !== undefined && ordered(fact) && spread(key) >= NEARLY_ALL;
  });
  const [hint] = hinted;
  if (hint !== undefined) return { value: hint, sure: true, why: "it differs within documents" };
  const other = [...facts.values()].find((fact) => ordered(fact) && spread(fact.key) === 1);
  return other === undefined ? undefined : { value: other.key, sure: false, why: "it differs within documents" };
}

/** The embedder behind the vectors, as far as the collection tells: never more than a guess from their length alone. */
export function detectEmbedder(collection: CollectionFacts): Finding<"minilm" | undefined> {
  const { dimension, embeddingFunction: named, embeddingModel: model } = collection;
  const fits = dimension === null || dimension === MINILM_DIMENSION;
  if (named !== null && MINILM_FUNCTIONS.includes(named) && fits) {
    return { value: "minilm", sure: true, why: "the collection names Chroma's default model" };
  }
  if (model !== undefined && /(^|\/)all-MiniLM-L6-v2$/i.test(model) && fits) {
    return { value: "minilm", sure: true, why: `the collection names ${model}` };
  }
  if (named !== null) return { value: undefined, sure: false, why: `made by ${model ?? named}` };
  if (dimension === MINILM_DIMENSION) {
    return { value: "minilm", sure: false, why: `vectors of ${MINILM_DIMENSION} numbers suggest all-MiniLM-L6-v2` };
  }
  const what = dimension === null ? "the collection holds no vector yet" : `vectors of ${dimension} numbers`;
  return { value: undefined, sure: false, why: what };
}

function dateKeysOf(facts: readonly KeyFact[]): readonly string[] {
  return facts
    .flatMap(({ key, dates, epochs }) => {
      const rank = changeRank(key);
      return rank === undefined || !(dates || epochs) ? [] : [{ key, rank }];
    })
    .sort((a, b) => a.rank - b.rank)
    .map(({ key }) => key);
}

function firstHint(hints: readonly string[], facts: Facts, accept: (fact: KeyFact) => boolean): string | undefined {
  return hints.find((hint) => {
    const fact = facts.get(hint);
    return fact !== undefined && accept(fact);
  });
}

const isText = (fact: KeyFact): boolean => fact.type === "text";
const isName = (fact: KeyFact): boolean => fact.type === "text" || fact.type === "whole";
const isNumber = (fact: KeyFact): boolean => fact.type === "whole" || fact.type === "number";

function groupBy(records: readonly SampledRecord[], key: string): Groups {
  if (key === RECORD_KEY) return records.map((record) => [record]);
  const groups = new Map<string, SampledRecord[]>();
  for (const record of records) {
    const name = String(record.metadata?.[key] ?? `${RECORD_KEY}${record.id}`);
    const group = groups.get(name) ?? [];
    group.push(record);
    groups.set(name, group);
  }
  return [...groups.values()];
}

/** True where nearly all documents have one value of the key. */
function isConstant(key: string, groups: Groups): boolean {
  const constant = groups.filter((group) => new Set(group.map(({ metadata }) => String(metadata?.[key]))).size === 1);
  return constant.length >= NEARLY_ALL * groups.length;
}
