import type { Role } from "../../core/corpus-role.ts";
import type { Metadata } from "../../core/types.ts";

/** A kind of document that answers questions of a form, known by the role of its corpus. */
export interface DocumentKind {
  readonly role: Role;
  /** Of the documents of that role those whose name says this come first. */
  readonly named?: RegExp;
}

const DECISION_NAME =
  /(?<![a-z])(?:adrs?|decisions?|decided|plans?|planning|proposals?|rfcs?|rationale|designs?)(?![a-z])/iu;

/** Forms of questions and what answers them. A form that asks what a thing is or does is none. */
const FORMS: readonly (readonly [form: RegExp, kind: DocumentKind])[] = [
  [
    /\b(?:(?<!(?:even|just|only) )when (?:was|were|did|has|have)|since when|shipped|released?|went out|rolled out|launched|deployed|landed|merged|changelog|release notes)\b/iu,
    { role: "changelog" },
  ],
  [
    /\b(?:failed|failing|failures?|errors?|errored|crash(?:ed|es)?|exceptions?|stack ?traces?|exit code|went wrong|broke)\b/iu,
    { role: "traces" },
  ],
  [
    /\b(?:decided|decisions?|decide|why|rationale|agreed|chose|chosen|reasons?)\b/iu,
    { role: "documents", named: DECISION_NAME },
  ],
];

/** The kinds of documents that answer questions of this form; none for most. */
export function readKinds(question: string): readonly DocumentKind[] {
  return FORMS.filter(([form]) => form.test(question)).map(([, kind]) => kind);
}

const TAG_KEYS = ["tags", "fm_tags", "type", "fm_type", "category"] as const;

/** True where the document's title, place or tags say that it is of this kind. */
export function isNamed(
  { named }: DocumentKind,
  { documentId, title, metadata }: { readonly documentId: string; readonly title: string; readonly metadata: Metadata },
): boolean {
  if (named === undefined) return true;
  const tags = TAG_KEYS.map((key) => (Object.hasOwn(metadata, key) ? String(metadata[key]) : ""));
  return [documentId, title, ...tags].some((text) => named.test(text));
}
