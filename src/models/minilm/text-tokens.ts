import { z } from "zod/mini";
import { WinnowError } from "../../core/errors.ts";
import { PieceTable } from "../static/piece-table.ts";
import { readShippedArtefact } from "../static/shipped-artefact.ts";
import { WordPieceTokenizer } from "../static/word-piece.ts";
import { MODEL_HINT } from "./model-files.ts";

const id = z.int().check(z.nonnegative());

/** What of the file decides about ids. Other values than these belong to another kind of tokenizer. */
const fileSchema = z.object({
  normalizer: z.object({
    type: z.literal("BertNormalizer"),
    clean_text: z.literal(true),
    handle_chinese_chars: z.literal(true),
    /** Null: as `lowercase` says. */
    strip_accents: z.nullable(z.literal(true)),
    lowercase: z.literal(true),
  }),
  pre_tokenizer: z.object({ type: z.literal("BertPreTokenizer") }),
  added_tokens: z.array(z.object({ id, content: z.string().check(z.minLength(1)) })),
  model: z.object({
    type: z.optional(z.literal("WordPiece")),
    unk_token: z.string(),
    continuing_subword_prefix: z.literal("##"),
    max_input_chars_per_word: z.int().check(z.positive()),
    /** Tokens and their ids; thirty thousand, so they are looked at one by one below. */
    vocab: z.custom<Readonly<Record<string, unknown>>>((value) => typeof value === "object" && value !== null),
  }),
});

type TokenizerFile = z.infer<typeof fileSchema>;

const START = "[CLS]";
const END = "[SEP]";

/**
 * Token ids as the model's own tokenizer gives them: a start, the pieces of the words, an end. Unlike the built-in
 * embedder's, it reads the names of special tokens in a text (`[SEP]`) as those tokens, since Python does.
 */
export class TextTokens {
  readonly #words: WordPieceTokenizer;
  readonly #special: ReadonlyMap<string, number>;
  readonly #splitter: RegExp;
  readonly #start: number;
  readonly #end: number;

  private constructor({ model, added_tokens: added }: TokenizerFile) {
    const vocabulary = lines(model.vocab);
    this.#special = new Map(added.map(({ content, id }) => [content, id]));
    this.#splitter = new RegExp(`(${[...this.#special.keys()].map(literally).join("|")})`);
    this.#start = this.#idOf(START);
    this.#end = this.#idOf(END);
    this.#words = new WordPieceTokenizer({
      pieces: new PieceTable(vocabulary.join("\n")),
      unknownToken: this.#idOf(model.unk_token),
      wordCharactersMax: model.max_input_chars_per_word,
      // The character tables of the shipped vocabulary, which are those of every uncased BERT.
      characterRuns: readShippedArtefact().characterRuns,
    });
  }

  /** From the text of a tokenizer.json. Throws `embedder_failed`. */
  static parse(json: string): TextTokens {
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch (cause) {
      throw damaged("it is not JSON", cause);
    }
    const parsed = fileSchema.safeParse(value);
    if (parsed.success) return new TextTokens(parsed.data);
    const issue = parsed.error.issues[0];
    throw damaged(`${issue?.path.join(".") ?? "it"} is not as that model has it`, parsed.error);
  }

  /** At most `tokensMax` ids, start and end included. Two of them for a text without a word. */
  encode(text: string, tokensMax: number): number[] {
    const ids = [this.#start];
    for (const part of text.split(this.#splitter)) {
      if (ids.length >= tokensMax - 1) break;
      const special = this.#special.get(part);
      if (special === undefined) ids.push(...this.#words.encode(part, tokensMax - 1 - ids.length));
      else ids.push(special);
    }
    ids.push(this.#end);
    return ids;
  }

  #idOf(token: string): number {
    const found = this.#special.get(token);
    if (found === undefined) throw damaged(`it has no token ${token}`);
    return found;
  }
}

/** Tokens in the order of their ids, which must be 0, 1, 2 and so on. */
function lines(vocab: Readonly<Record<string, unknown>>): string[] {
  const entries = Object.entries(vocab);
  const tokens = new Array<string>(entries.length).fill("");
  for (const [token, at] of entries) {
    // A free place holds the empty text, which is no token.
    if (typeof at !== "number" || tokens[at] !== "" || token === "" || token.includes("\n")) {
      throw damaged("its vocabulary is not one token for each id");
    }
    tokens[at] = token;
  }
  return tokens;
}

function literally(token: string): string {
  return token.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function damaged(what: string, cause?: unknown): WinnowError {
  return new WinnowError("embedder_failed", `The file tokenizer.json is not that of all-MiniLM-L6-v2: ${what}.`, {
    hint: MODEL_HINT,
    cause,
  });
}
