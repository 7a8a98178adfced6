/** Words for a password, in the languages that are met most. */
const PASSWORD =
  "passwor[dt]|passwd|passphrase|passcode|pwd|(?<=[A-Za-z0-9])[_-]pass(?![a-z])|kennwort|wachtwoord|contrase(?:ñ|n)a|" +
  "mot[ _]de[ _]passe|senha|пароль|密码|密碼|口令|パスワード|비밀번호";
/** Short for it, but also what a test does and where a road goes: only before a sign. */
const SHORT = "(?<![A-Za-z])(?:pass|pw)(?=\\\\{0,3}[\"'`]?[ \\t]{0,3}[:=：])";
const KEY =
  "secret|token|credentials?|(?:api|access|private|secret|signing|encryption|auth|account|shared[-_]?access|" +
  "session|client|master|app|service|license|deploy|webhook|ssh|storage)[-_ ]?key|(?<=[A-Za-z0-9])_key|" +
  "(?<![A-Za-z0-9_-])key(?==)";
const OTHER = "connection[-_]?string|sig|auth|otp|cookie";

/** Three groups: what always stands for a password, what may, and what stands for a secret before a value that looks like one. */
export const SECRET_NAME_SOURCE = `(?:(${PASSWORD})|(${SHORT})|(${KEY}|${OTHER}))`;

/** Words behind a name that make it the name of something else: of a count, a file, a rule. */
const NO_SECRET = new Set(
  (
    "type types count counts counter name names id ids url uri urls path paths file files filename field fields input " +
    "label labels length len min max size limit limits budget usage used expires expire expiry expiration expired ttl " +
    "age policy hint prompt placeholder regex pattern error errors message messages required optional enabled disabled " +
    "reset change changed strength manager provider providers store storage ref reference arn header headers param " +
    "params parameter index list map set class column table kind format source endpoint issuer scope scopes timeout " +
    "rotation at by on for is has from to per with env stdin command cmd helper hash hashed hashes salt algorithm alg " +
    "digest address contract symbol mint domain host port server user username email realm method mode strategy flow " +
    "callback redirect config module guard middleware plugin validator validation rule rules check checks checker test " +
    "tests position start end offset stream parser reader writer cache bucket rate cost price total estimate counting " +
    "visible visibility state status protected based prefix suffix valid verified verify detection scan scanner scanning " +
    "iterations rounds date time created updated version description title text form page view component props " +
    "schema schemas handler hook context options option settings factory interface impl node response request payload " +
    "char chars range string strings charset alphabet"
  ).split(" "),
);
const PARTS = /^(?:[-_]?\d{1,3}|(?:[-_][A-Za-z0-9]{1,24}){1,4}|(?:[A-Z][a-z0-9]{0,24}){1,4})$/;
const WORD = /[A-Z]?[a-z]+|[A-Z]+|\d+/g;

/** Whether what follows the name of a secret still leaves it one: `_PROD`, `Base`, `_v2`, `3`; not `Count`, `_file`, `s`. */
export function isSecretSuffix(named: string, suffix: string): boolean {
  if (suffix === "") return true;
  if (!PARTS.test(suffix) || OTHER_NAME.test(named)) return false;
  // `TOKENIZERS` is a word of its own; `tokenGithub` are two.
  if (/^[A-Z]/.test(suffix) && !/[a-z]$/.test(named)) return false;
  return (suffix.match(WORD) ?? []).every((word) => !NO_SECRET.has(word.toLowerCase()));
}

const OTHER_NAME = new RegExp(`^(?:${OTHER})$`, "i");
const FIELD = new RegExp(`${SECRET_NAME_SOURCE}([\\w-]{0,40})$`, "i");
/** Fields whose values are names more often than secrets: of a place in a store, of a session. */
const OFTEN_PLAIN = /^(?:_?key|sig|auth|otp|(?:session|app|service|license|deploy|storage)[-_ ]?key)$/i;
const SHORT_FIELD = /^(?:pass|pw)$/i;

/** Whether a field of this name holds a secret, whatever its value looks like. */
export function namesSecret(name: string): boolean {
  const end = name.slice(-100);
  if (SHORT_FIELD.test(end) || /(?:^|[-_])authorization$/i.test(end)) return true;
  const match = FIELD.exec(end);
  if (match === null) return false;
  const [, password, , key = "", suffix = ""] = match;
  if (suffix === "") return password !== undefined || !OFTEN_PLAIN.test(key);
  const isEnvironment = /^[A-Z][A-Z0-9_]*$/.test(end);
  return (password !== undefined || isEnvironment) && isSecretSuffix(password ?? key, suffix);
}
