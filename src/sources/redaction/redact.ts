import { WinnowError } from "../../core/errors.ts";
import { findAssignments } from "./assignments.ts";
import { findCommandLines } from "./command-lines.ts";
import { findCredentials } from "./credentials.ts";
import { type Finding, SECRET_KINDS, type SecretKind } from "./finding.ts";
import { findPrivateKeys } from "./private-keys.ts";
import { findRandomTokens } from "./random-tokens.ts";
import { findTransports } from "./transports.ts";

/** Units of one text. A line of a transcript cannot hold more; what does is not looked through in part. */
export const REDACTION_UNITS_MAX = 64 * 1024 * 1024;

export interface Redacted {
  readonly text: string;
  /** By kind, in the order of `SECRET_KINDS`; kinds that were not met are missing. */
  readonly found: readonly { readonly kind: SecretKind; readonly count: number }[];
}

const FINDERS = [findPrivateKeys, findCredentials, findTransports, findCommandLines, findAssignments, findRandomTokens];

/** What stands in place of a secret. */
export const redactedAs = (kind: SecretKind): string => `[redacted ${kind}]`;

/**
 * Text without what looks like a credential, each replaced by `[redacted KIND]`. Pure; time is linear in the text.
 * Decoded text is expected: in the source of a JSON string an escape may hide a part of a secret. No redaction is
 * perfect: see docs/corpora.md for what is looked for.
 *
 * @throws WinnowError `limit_exceeded` beyond `unitsMax` UTF-16 units: the caller leaves such a text out.
 */
export function redact(text: string, unitsMax = REDACTION_UNITS_MAX): Redacted {
  if (text.length > unitsMax) {
    const [size, limit] = [text.length.toLocaleString("en-US"), unitsMax.toLocaleString("en-US")];
    throw new WinnowError("limit_exceeded", `A text of ${size} characters is over the ${limit} that are redacted.`);
  }
  const findings = merge(FINDERS.flatMap((find) => find(text)));
  if (findings.length === 0) return { text, found: [] };
  const counts = new Map<SecretKind, number>();
  const parts: string[] = [];
  let from = 0;
  for (const { start, end, kind } of findings) {
    parts.push(text.slice(from, start), redactedAs(kind));
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    from = end;
  }
  parts.push(text.slice(from));
  const found = SECRET_KINDS.flatMap((kind) => {
    const count = counts.get(kind);
    return count === undefined ? [] : [{ kind, count }];
  });
  return { text: parts.join(""), found };
}

const rank = ({ kind }: Finding): number => SECRET_KINDS.indexOf(kind);

/** In order, without overlaps: what overlaps becomes one, named by the most telling kind. */
function merge(findings: readonly Finding[]): Finding[] {
  const merged: Finding[] = [];
  for (const finding of [...findings].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1);
    if (last === undefined || finding.start >= last.end) merged.push(finding);
    else {
      const kind = rank(finding) < rank(last) ? finding.kind : last.kind;
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, finding.end), kind };
    }
  }
  return merged;
}
