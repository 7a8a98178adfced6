import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { z } from "zod/mini";
import { editFile } from "../config/write-file.ts";
import { systemErrorCode, WinnowError } from "../core/errors.ts";
import { sha256 } from "./callers/listening.ts";
import type { CorpusNames } from "./scoped-workspace.ts";

/** Entropy of a token. */
const TOKEN_BYTES = 32;
/** So that one is recognized where it does not belong. */
const TOKEN_PREFIX = "winnow_";
const TOKENS_MAX = 1_000;
const FILE_BYTES_MAX = 1_000_000;
/** Permissions that nobody but the owner may have on the file. */
const OTHERS_MODE = 0o077;
const OWNER_MODE = 0o600;
/** How long a change of the file may go unnoticed. */
const LOOKED_AT_EVERY_MS = 1_000;

/** Who asks a server, by the token sent. */
export interface Caller {
  readonly name: string;
  readonly corpora: CorpusNames;
}

const name = z.string().check(z.regex(/^[\w.@-]{1,64}$/));
const fileSchema = z.strictObject({
  schema: z.literal("tokens/1"),
  tokens: z
    .array(
      z.strictObject({
        name,
        /** Of the token's text, hex. */
        sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
        /** Names, or null for all. */
        corpora: z.nullable(z.array(z.string().check(z.minLength(1), z.maxLength(300)))),
        created: z.optional(z.string()),
      }),
    )
    .check(z.maxLength(TOKENS_MAX)),
});
type TokenFile = z.infer<typeof fileSchema>;

/**
 * Makes a token for `corpora` and appends its hash to `file`, which is made for its owner alone where it does not exist.
 * Returns the token, which is kept nowhere. Rejects with `invalid_argument` for a name that is taken, `invalid_config` for
 * a file that is none of ours.
 */
export async function newToken(file: string, tokenName: string, corpora: CorpusNames): Promise<string> {
  if (!z.safeParse(name, tokenName).success) {
    throw new WinnowError("invalid_argument", "The name of a token has 1 to 64 letters, digits or any of . _ @ -", {
      hint: "Example: winnow serve --new-token laptop --corpus docs",
    });
  }
  const token = `${TOKEN_PREFIX}${randomBytes(TOKEN_BYTES).toString("base64url")}`;
  const entry = {
    name: tokenName,
    sha256: sha256(token).toString("hex"),
    corpora: corpora === null ? null : [...corpora],
    created: new Date().toISOString(),
  };
  const edit = (before: string | undefined): string => {
    const known = before === undefined ? [] : parseTokens(before, file).tokens;
    if (known.some((one) => one.name === tokenName)) {
      throw new WinnowError("invalid_argument", `There is a token "${tokenName}" already.`, {
        hint: `Choose another name, or take its entry out of ${file}.`,
      });
    }
    const content: TokenFile = { schema: "tokens/1", tokens: [...known, entry] };
    return `${JSON.stringify(content, null, 2)}\n`;
  };
  await checkMode(file);
  await editFile(file, edit, OWNER_MODE);
  return token;
}

function parseTokens(text: string, file: string): TokenFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unusable(file, "it is not JSON");
  }
  const parsed = z.safeParse(fileSchema, value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw unusable(file, `${issue?.path.join(".") || "the file"}: ${issue?.message ?? "it has another shape"}`);
}

function unusable(file: string, why: string): WinnowError {
  return new WinnowError("invalid_config", `The tokens in ${file} cannot be used: ${why}.`, {
    hint: "Make tokens with: winnow serve --new-token NAME --corpus CORPUS",
  });
}

/** Hashes may not be replaced by others, or nobody is kept out. A file that is missing is right. */
async function checkMode(file: string): Promise<void> {
  if (process.platform === "win32") return;
  const found = await stat(file).catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw unusable(file, "it cannot be read");
  });
  if (found === undefined) return;
  if ((found.mode & OTHERS_MODE) !== 0) {
    throw new WinnowError("invalid_config", `Others than its owner may open ${file}.`, {
      hint: `Run: chmod 600 ${file}`,
    });
  }
  if (!found.isFile() || found.size > FILE_BYTES_MAX) throw unusable(file, "it is no file of tokens");
}

export interface TokenBook {
  /** Whose token this is; undefined for none. Takes as long for a wrong one as for a right one. */
  callerOf(token: string): Promise<Caller | undefined>;
}

export interface TokenBookOptions {
  /** One token from the environment, for all corpora. */
  readonly token?: string | undefined;
  readonly file?: string | undefined;
  /** Told when a changed file cannot be used; the tokens before the change hold on. */
  readonly onError: (error: unknown) => void;
}

interface Known {
  readonly hash: Buffer;
  readonly caller: Caller;
}

/**
 * The tokens of a server. The file is read again when it has changed, so that a token can be taken back without a new
 * start. Rejects with `invalid_config`.
 */
export async function openTokenBook({ token, file, onError }: TokenBookOptions): Promise<TokenBook> {
  const own: Known[] =
    token === undefined ? [] : [{ hash: sha256(token), caller: { name: "environment", corpora: null } }];
  let known = await readTokens(file);
  let stamp = await stampOf(file);
  let lookedAt = performance.now();

  const refresh = async (): Promise<void> => {
    if (file === undefined || performance.now() - lookedAt < LOOKED_AT_EVERY_MS) return;
    lookedAt = performance.now();
    const now = await stampOf(file);
    if (now === stamp) return;
    stamp = now;
    try {
      known = await readTokens(file);
    } catch (error) {
      onError(error);
    }
  };

  return {
    async callerOf(given) {
      await refresh();
      const hash = sha256(given);
      let caller: Caller | undefined;
      // All are compared, whichever it is.
      for (const one of [...own, ...known]) if (timingSafeEqual(one.hash, hash)) caller ??= one.caller;
      return caller;
    },
  };
}

async function readTokens(file: string | undefined): Promise<Known[]> {
  if (file === undefined) return [];
  await checkMode(file);
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    const missing = systemErrorCode(error) === "ENOENT";
    throw unusable(file, missing ? "there is no such file" : "it cannot be read");
  });
  return parseTokens(text, file).tokens.map((one) => ({
    hash: Buffer.from(one.sha256, "hex"),
    caller: { name: one.name, corpora: one.corpora },
  }));
}

async function stampOf(file: string | undefined): Promise<string> {
  if (file === undefined) return "";
  return stat(file).then(
    ({ mtimeMs, size, ino, mode }) => `${mtimeMs} ${size} ${ino} ${mode}`,
    () => "missing",
  );
}
