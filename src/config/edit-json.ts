/** Where a member of an object lies in a JSON text. */
interface Member {
  readonly key: string;
  readonly keyStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

interface ObjectSpan {
  readonly members: readonly Member[];
  /** Of `{` and behind `}`. */
  readonly start: number;
  readonly end: number;
}

const DEFAULT_INDENT = "  ";
const SPACE = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const SCALAR = /[^\s,\]}]+/y;

/**
 * The JSON text of an object with `value` at `path` (keys of objects, made where they are missing); everything else
 * stays as it is written, white space included. `text` must be valid JSON whose values along the path are objects.
 */
export function withJsonValue(text: string, path: readonly [string, ...string[]], value: unknown): string {
  const unit = /\n([ \t]+)"/.exec(text)?.[1] ?? DEFAULT_INDENT;
  const multiline = text.includes("\n") || /^\s*\{\s*\}\s*$/.test(text);
  let object = objectAt(text, end(SPACE, text, 0));
  for (const [depth, key] of path.entries()) {
    const rest = path.slice(depth + 1);
    const member = object.members.findLast((one) => one.key === key);
    if (member !== undefined && rest.length > 0) {
      object = objectAt(text, member.valueStart);
      continue;
    }
    const whole = rest.reduceRight((inner: unknown, name) => ({ [name]: inner }), value);
    const written = render(whole, multiline ? unit : "", unit.repeat(depth + 1));
    if (member !== undefined) return splice(text, member.valueStart, member.valueEnd, written);
    return appended(text, object, `${JSON.stringify(key)}: ${written}`, multiline ? unit : "", depth);
  }
  return text;
}

function appended(text: string, object: ObjectSpan, member: string, unit: string, depth: number): string {
  const last = object.members.at(-1);
  if (last !== undefined) {
    const inner = /\n[ \t]*$/.exec(text.slice(object.start, last.keyStart))?.[0] ?? " ";
    return splice(text, last.valueEnd, last.valueEnd, `,${inner}${member}`);
  }
  const lines = unit === "" ? [" ", " "] : [`\n${unit.repeat(depth + 1)}`, `\n${unit.repeat(depth)}`];
  return splice(text, object.start, object.end, `{${lines[0]}${member}${lines[1]}}`);
}

function render(value: unknown, unit: string, outer: string): string {
  return JSON.stringify(value, null, unit).replaceAll("\n", `\n${outer}`);
}

function splice(text: string, start: number, until: number, piece: string): string {
  return text.slice(0, start) + piece + text.slice(until);
}

/** The object that begins at an offset. Assumes valid JSON. */
function objectAt(text: string, start: number): ObjectSpan {
  const members: Member[] = [];
  let at = end(SPACE, text, start + 1);
  while (text[at] === '"') {
    const keyStart = at;
    const keyEnd = end(STRING, text, at);
    const key: unknown = JSON.parse(text.slice(keyStart, keyEnd));
    const valueStart = end(SPACE, text, end(SPACE, text, keyEnd) + 1);
    const valueEnd = valueFrom(text, valueStart);
    members.push({ key: String(key), keyStart, valueStart, valueEnd });
    at = end(SPACE, text, valueEnd);
    if (text[at] === ",") at = end(SPACE, text, at + 1);
  }
  return { members, start, end: at + 1 };
}

/** End of the value that begins at an offset. */
function valueFrom(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return end(STRING, text, start);
  if (first !== "{" && first !== "[") return end(SCALAR, text, start);
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = end(STRING, text, at) - 1;
    else if (character === "{" || character === "[") depth++;
    else if ((character === "}" || character === "]") && --depth === 0) return at + 1;
  }
  return text.length;
}

function end(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
