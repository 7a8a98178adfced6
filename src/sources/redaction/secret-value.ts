/** How sure a name is to stand for a secret: `password` always, `token` only before a value that looks like one. */
export type NameStrength = "strong" | "weak";

/** Words that stand where a value is not given, or where a type is. */
const NO_VALUE = new Set(
  (
    "true false null undefined none nil void any unknown object string str text varchar char number int integer " +
    "boolean bool bytes buffer symbol never optional required redacted hidden masked omitted empty yes no on off " +
    "function async await return self this ref input prompt value type env example erforderlich falsch unbekannt leer keins"
  ).split(" "),
);
/** A value that points to one: a variable, a template, a substitution, a mask. */
const REFERENCE =
  /^(?:\$|%[A-Za-z{(]|<[^>]*>?|\{\{|#\{|@\{|\[redacted|(?:process|import\.meta)\.|os\.|env[.[(]|[*x•.…_-]{3,}$|(.)\1+$)/i;
/** A name of code: `config.password`, `Secret<String>`, `readToken(…)`. Without digits, since a password may have dots. */
const CODE_NAME = /^!?[A-Za-z_$][A-Za-z_$]*(?:(?:\?|!)?(?:\.|::|->)[A-Za-z_$]+)+[;,)]*$|^[A-Za-z_$][\w$.]*[<([]/;
/** A key by its word: a monkey is a password. */
const NAMES_A_SECRET =
  /(?:(?:[Pp]assword|[Pp]asswd|[Pp]assphrase|[Pp]wd|[Ss]ecret|[Tt]oken|[Cc]redential|[Cc]ookie|[a-z0-9]Key)s?|(?:^|[^A-Za-z])keys?|(?:PASSWORD|PASSWD|PASSPHRASE|PWD|SECRET|TOKEN|CREDENTIAL|COOKIE|(?:^|[^A-Za-z])KEY)S?|(?:api|access|private|public|secret|auth)keys?)$/;
const PATH = /^(?:~|\.{1,2})?\/|^[A-Za-z]:\\|^[\w.-]+\/[\w./-]*\.[a-z]{1,5}$/;

const STRONG_UNITS_MIN = 3;
const WEAK_UNITS_MIN = 8;

/** A value as it stands after a name. */
export interface Assigned {
  readonly value: string;
  readonly strength: NameStrength;
  readonly quoted: boolean;
  /** `NAME=value` at the start of a line or a command, as in environment files. */
  readonly environment: boolean;
  /** Nothing but the value follows the name on its line, or `=` joins both. */
  readonly alone: boolean;
}

/**
 * Whether what stands after the name of a secret is one. In doubt it is: a word lost to search costs less than a
 * password kept.
 */
export function isSecretValue({ value, strength, quoted, environment, alone }: Assigned): boolean {
  if (value.length < STRONG_UNITS_MIN || REFERENCE.test(value)) return false;
  if (NO_VALUE.has(value.toLowerCase().replace(/[?;,.!|]+$/, ""))) return false;
  if (!quoted && CODE_NAME.test(value)) return false;
  if (!/\d/.test(value) && !looksDrawn(value) && NAMES_A_SECRET.test(value.replace(/[^A-Za-z]+$/, ""))) return false;
  if (strength === "strong") return quoted || environment || alone || hasDigitOrSign(value) || isMixedUp(value);
  if (value.length < WEAK_UNITS_MIN) return false;
  if (/^(?:[\d.,_]+|0[box][\da-f_]{1,16})$/i.test(value) || PATH.test(value)) return false;
  return environment || looksGenerated(value) || looksDrawn(value);
}

/** Whether a word is unlike one of prose and unlike a name in code: letters and digits mixed, no white space. */
export function looksGenerated(value: string): boolean {
  if (value.length < WEAK_UNITS_MIN || /\s/.test(value) || PATH.test(value)) return false;
  return /\d/.test(value) && /[A-Za-z]/.test(value);
}

function hasDigitOrSign(value: string): boolean {
  return /\d/.test(value) || /[^A-Za-z\d_.,;:?!()'’-]/.test(value);
}

/** Lengths from which letters alone are a key and no word: of both cases drawn at random, of one case. */
const MIXED_LETTERS_MIN = 16;
const LETTERS_MIN = 20;
/** Mean length of the words that a name in code falls into by its capitals; letters drawn at random stay below. */
const PIECE_UNITS_MAX = 3.2;

/** Whether letters alone look drawn at random: no word of prose is as long, no name in code changes its case as often. */
export function looksDrawn(value: string): boolean {
  if (/^(?:[a-z]+|[A-Z]+)$/.test(value)) return value.length >= LETTERS_MIN;
  if (!/^[A-Za-z]+$/.test(value) || value.length < MIXED_LETTERS_MIN) return false;
  return value.length / piecesOf(value) < PIECE_UNITS_MAX;
}

/** Whether a word changes its case more often than a name in code does. */
function isMixedUp(value: string): boolean {
  if (!/^[A-Za-z]+$/.test(value) || value.length < WEAK_UNITS_MIN || !/[a-z][A-Z]{2}/.test(value)) return false;
  return value.length / piecesOf(value) < PIECE_UNITS_MAX;
}

const piecesOf = (value: string): number => value.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g)?.length ?? 1;

const PASSWORD_UNITS_MIN = 6;
/** Names of methods, encodings and sizes carry digits as well. */
const TECHNICAL =
  /^(?:sha|md|aes|rsa|utf|iso|base|argon|pbkdf|bcrypt|scrypt|hs|rs|es|ps|ed|oauth|http|ipv|salt|x)[-_]?\d[\w-]*$|^\d+(?:\.\d+)?[a-z%]{0,3}$/i;

/** Whether a word is what nobody would say in prose or call a thing in code: of mixed kinds, or with signs in it. */
export function looksLikePassword(value: string): boolean {
  if (value.length < PASSWORD_UNITS_MIN || /\s/.test(value) || !/[A-Za-z]/.test(value)) return false;
  if (REFERENCE.test(value) || CODE_NAME.test(value) || PATH.test(value) || TECHNICAL.test(value)) return false;
  if (/^[a-z][\w+.-]*:\/\//i.test(value) || /^[\w.-]+\.\*$/.test(value)) return false;
  if (/^[A-Za-z_-]+\d{0,3}$/.test(value) && !looksDrawn(value) && NAMES_A_SECRET.test(value.replace(/\d+$/, "")))
    return false;
  return /\d/.test(value) || /[!#$%^&*+~=@]/.test(value) || looksDrawn(value) || isMixedUp(value);
}

const WORD_OF_PROSE = /(?:ed|ing|en|ly|able|ible|ous|ful|ent|ant|ive|al|ary|ect|alid|less|wrong|here|thing)$/;

/**
 * Whether what a sentence says a password is can be one: "the password is hunterEZZ" and not "the password is expired". Of
 * their own passwords people say a word more readily than of others.
 */
export function isSaidPassword(value: string, isOwn: boolean): boolean {
  if (REFERENCE.test(value) || CODE_NAME.test(value) || NO_VALUE.has(value.toLowerCase())) return false;
  if (looksGenerated(value) || looksLikePassword(value)) return true;
  if (value.length < WEAK_UNITS_MIN || !/^[A-Za-z]+$/.test(value)) return false;
  return /[a-z][A-Z]/.test(value) || (isOwn && !WORD_OF_PROSE.test(value.toLowerCase()));
}
