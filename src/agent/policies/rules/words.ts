/** Words, names and sentences as the rules see them. Linear-time scanning; no look-behind, no nested repeats. */

const STOP = new Set(
  (
    "a about an and any are as at be been by can could did do does for from had has have he her his how i if in into is it its " +
    "make makes made many me more most much my no not of on one or our she should so some such than that the their them then there " +
    "these they this those through to use used uses using via was we were what when where which while who whom whose why will with would you your"
  ).split(" "),
);

/** Words that join the parts of a name: `Journal of Psychotherapy Integration`. */
const JOINERS = new Set("of the and de la le du des von van der den for in on at to with & y el al bin ibn".split(" "));

/** Joiners that stand between two names as often as inside of one: `Ada Helm and Otto Bran`, `War and Peace`. */
const LOOSE_JOINERS = new Set("and for in on at to with & y".split(" "));

/** Words that open sentences with a capital and are no part of the name behind them. */
const OPENERS = new Set(
  (
    "after against all although among another any because before behind beside besides between both but by despite during each even every " +
    "few following from had here however just last later like many meanwhile most much near neither next nobody none now once only other " +
    "over perhaps several since some soon still then there though today together toward towards under unlike until upon whatever " +
    "whenever whereas wherever whether within without yet"
  ).split(" "),
);

const CALENDAR = new Set(
  (
    "january february march april may june july august september october november december " +
    "monday tuesday wednesday thursday friday saturday sunday"
  ).split(" "),
);

/** Content words of a text, folded: lower case, plural and verb endings cut, so that forms of a word meet. */
export function terms(text: string): string[] {
  const found =
    text
      .normalize("NFKD")
      .replace(/\p{M}+/gu, "")
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return found.filter((word) => !STOP.has(word)).map(fold);
}

function fold(word: string): string {
  if (word.length > 5 && word.endsWith("ing")) return word.slice(0, -3);
  if (word.length > 4 && word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (word.length > 4 && word.endsWith("ed")) return word.slice(0, -2);
  if (word.length > 3 && word.endsWith("es")) return word.slice(0, -2);
  if (word.length > 3 && word.endsWith("s") && !word.endsWith("ss")) return word.slice(0, -1);
  return word.length > 4 && word.endsWith("e") ? word.slice(0, -1) : word;
}

/** Folded words of a text that stand in it in lower case throughout. */
export function commonWords(text: string): Set<string> {
  const words = text.match(/(?<![\p{L}\p{N}])\p{Ll}+(?![\p{L}\p{N}])/gu) ?? [];
  return new Set(words.map((word) => fold(word.normalize("NFKD").replace(/\p{M}+/gu, ""))));
}

export interface Name {
  readonly text: string;
  /** Offset of its first character. */
  readonly at: number;
}

interface Word {
  readonly text: string;
  readonly at: number;
}

/** Ends in a letter, digit or underscore. To cut punctuation off behind would take time squared on a row of dots. */
const WORD = /[\p{L}\p{N}](?:['’.\-/]*[\p{L}\p{N}_])*/gu;
/** Longest name, UTF-16 units: what runs on further is shouted or a list, and would make a query as long. */
const NAME_UNITS_MAX = 160;

/**
 * Names in a text: runs of capitalised words with joiners inside, quoted phrases, and identifiers (`getUser`,
 * `ERR_12`, `v1.2`, `a/b.ts`). The first word of a sentence counts only when the next one is a part of the name too.
 */
export function names(text: string): Name[] {
  const found: Name[] = [];
  for (const quoted of text.matchAll(/["“]([^"“”\n]{2,80})["”]/g))
    found.push({ text: quoted[1] ?? "", at: quoted.index + 1 });
  const words = [...text.matchAll(WORD)].map((match) => ({
    text: match[0].replace(/['’]s$/u, ""),
    at: match.index,
  }));
  let run: Word[] = [];
  const flush = (): void => {
    for (const part of namesOfRun(text, run)) found.push(part);
    run = [];
  };
  for (const [i, word] of words.entries()) {
    const before = words[i - 1];
    const gap = before === undefined ? "" : text.slice(before.at + before.text.length, word.at);
    const initial = before !== undefined && before.text.length <= 3 && /^\p{Lu}/u.test(before.text) && gap === ". ";
    const joined = gap === " " || gap === "" || gap === "-" || initial;
    if (!joined) flush();
    const capital = /^\p{Lu}/u.test(word.text) || isIdentifier(word.text);
    const opensWithStop = run.length === 0 && STOP.has(word.text.toLowerCase());
    if (capital && !opensWithStop) run.push(word);
    else if (run.length > 0 && (JOINERS.has(word.text) || /^\d+$/.test(word.text))) run.push(word);
    else flush();
  }
  flush();
  return found;
}

/** A word that a name of a person, place, work or body is made of: `Helm`, `O'Neill`, `McDonald`, `Saint-Denis`. */
const NAME_WORD = /^(?:(?:Mc|Mac|O['’]|D['’]|L['’])?\p{Lu}\p{Ll}{2,}(?:[-'’]\p{L}\p{Ll}*)*)$/u;
/** What one such word alone counts for: `Christian` and `Canadian` lead anywhere. */
const SINGLE_NAME = 0.6;

/**
 * How likely a person would follow a name to where it is told of, 0 to 1. Nobody follows a number, a measure, an
 * abbreviation, a version or an identifier.
 */
export function followability(name: string): number {
  const words = name.split(/[\s/]+/u).filter((word) => NAME_WORD.test(word) && !OPENERS.has(word.toLowerCase()));
  const distinct = new Set(words).size;
  return distinct === 0 ? 0 : distinct === 1 ? SINGLE_NAME : 1;
}

/** Names in a run of capitalised words and joiners: one, or those that a loose joiner only stands between. */
function namesOfRun(text: string, run: readonly Word[]): Name[] {
  const pieces: Word[][] = [[]];
  for (const word of run) {
    if (LOOSE_JOINERS.has(word.text.toLowerCase())) pieces.push([]);
    else pieces.at(-1)?.push(word);
  }
  const bare = pieces.map((piece) => trim(text, piece)).filter((piece) => piece.length > 0);
  const whole = bare.length > 1 && bare.some((piece) => piece.length === 1) ? [trim(text, run)] : [];
  return [...whole, ...bare].flatMap((words) => {
    const [first] = words;
    const last = words.at(-1);
    if (first === undefined || last === undefined) return [];
    const value = text.slice(first.at, last.at + last.text.length);
    const starts = isSentenceStart(text, first.at) && words.length === 1 && !isIdentifier(first.text);
    const isSized = value.length >= 2 && value.length <= NAME_UNITS_MAX;
    return starts || STOP.has(value.toLowerCase()) || !isSized ? [] : [{ text: value, at: first.at }];
  });
}

/** Without openers and numbers in front, joiners behind; empty where only dates are left. */
function trim(text: string, run: readonly Word[]): Word[] {
  const isOpener = (word: Word): boolean => OPENERS.has(word.text.toLowerCase()) && isSentenceStart(text, word.at);
  const isLoose = (word: Word): boolean => JOINERS.has(word.text.toLowerCase()) || /^\d+$/.test(word.text);
  const start = run.findIndex((word) => !isOpener(word) && !isLoose(word));
  const words = start === -1 ? [] : run.slice(start);
  while (words.length > 0 && JOINERS.has(words.at(-1)?.text.toLowerCase() ?? "")) words.pop();
  return words.every((word) => CALENDAR.has(word.text.toLowerCase()) || isLoose(word)) ? [] : words;
}

function isIdentifier(word: string): boolean {
  return /[\p{Ll}\d]\p{Lu}|_|\p{L}\d|\d\.\d|\p{L}[./]\p{L}/u.test(word);
}

/** At the start of a sentence, a heading, a list item, a table cell or emphasis, where a capital tells nothing. */
function isSentenceStart(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 12), at);
  return /(?:^|[.!?:;|\n])[-\s#>*_+"“([\d.)]*$/.test(before) && (before.length < 12 || /[.!?:;|\n]/.test(before));
}

/**
 * The prose of a text: without fenced code, inline code, link targets and addresses, whose names point nowhere that a
 * question would go.
 */
export function prose(text: string): string {
  const lines: string[] = [];
  let fenced = false;
  for (const line of text.split("\n")) {
    if (/^\s{0,3}(```|~~~)/.test(line)) fenced = !fenced;
    else if (!fenced) lines.push(line);
  }
  return lines
    .join("\n")
    .replace(/`[^`\n]{0,200}`/g, " ")
    .replace(/\]\([^)\n]{0,500}\)/g, "] ")
    .replace(/https?:\/\/\S{0,500}/g, " ")
    .replace(/<[^>\n]{0,200}>/g, " ");
}

/** Sentences of a text, roughly: enough to ask which words stand together. */
export function sentences(text: string): string[] {
  return text.split(/(?<=[.!?])\s+(?=[\p{Lu}"“(])|\n{2,}/u).filter((sentence) => sentence.trim() !== "");
}
