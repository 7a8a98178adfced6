import type { WireAnswer } from "./wire-server.ts";

/** Ids of one piece of a stream. */
const PIECE_IDS = 3;
/** Log-probability of ids for which the script gives none. */
const LOGPROB = -0.25;

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;

interface Piece {
  readonly text: string;
  readonly ids: readonly number[];
  readonly logprobs: readonly number[];
}

/** The answer's ids in pieces, its text spread over them; at least one piece. */
function piecesOf({ ids = [], logprobs, text = "" }: WireAnswer): Piece[] {
  const scores = logprobs ?? ids.map(() => LOGPROB);
  const count = Math.max(1, Math.ceil(ids.length / PIECE_IDS));
  const units = Math.ceil(text.length / count);
  return Array.from({ length: count }, (_, i) => ({
    text: text.slice(i * units, (i + 1) * units),
    ids: ids.slice(i * PIECE_IDS, (i + 1) * PIECE_IDS),
    logprobs: scores.slice(i * PIECE_IDS, (i + 1) * PIECE_IDS),
  }));
}

function choiceOf({ text, ids, logprobs }: Piece, { idsAs = "token_ids" }: WireAnswer) {
  const tokens = idsAs === "logprobs" ? ids.map((id) => `token_id:${id}`) : ids.map(() => "?");
  return {
    index: 0,
    text,
    logprobs: idsAs === "none" ? null : { tokens, token_logprobs: logprobs },
    token_ids: idsAs === "token_ids" ? ids : null,
  };
}

function endOf({ ids = [], finish, stopReason = ids.at(-1) }: WireAnswer) {
  return { finish_reason: finish ?? "stop", stop_reason: stopReason ?? null };
}

function usageOf({ usage, ids = [] }: WireAnswer, prompt: readonly number[]) {
  const { prompt: promptTokens, completion, cached } = usage ?? { prompt: prompt.length, completion: ids.length };
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completion,
    total_tokens: promptTokens + completion,
    ...(cached === undefined ? {} : { prompt_tokens_details: { cached_tokens: cached } }),
  };
}

const promptOf = (body: unknown): readonly number[] => {
  const prompt = typeof body === "object" && body !== null && "prompt" in body ? body.prompt : undefined;
  return Array.isArray(prompt) ? (prompt as readonly number[]) : [];
};

/** The events of an answer as vLLM streams completions, the prompt's ids first and the usage last. */
export function* completionEvents(answer: WireAnswer, body: unknown, model: string): Generator<string> {
  const prompt = promptOf(body);
  const head = { id: "cmpl-wire", object: "text_completion", created: 0, model };
  const pieces = piecesOf(answer);
  for (const [i, piece] of pieces.entries()) {
    const first = i === 0 && answer.idsAs !== "none" ? { prompt_token_ids: answer.promptIds ?? prompt } : {};
    const end = i === pieces.length - 1 ? endOf(answer) : { finish_reason: null, stop_reason: null };
    yield data({ ...head, choices: [{ ...choiceOf(piece, answer), ...first, ...end }] });
  }
  yield data({ ...head, choices: [], usage: usageOf(answer, prompt) });
  yield "data: [DONE]\n\n";
}

/** The same answer without a stream. */
export function completionBody(answer: WireAnswer, body: unknown, model: string) {
  const { ids = [], text = "", logprobs = ids.map(() => LOGPROB) } = answer;
  const prompt = promptOf(body);
  const promptIds = answer.idsAs === "none" ? {} : { prompt_token_ids: answer.promptIds ?? prompt };
  const choice = { ...choiceOf({ ids, text, logprobs }, answer), ...promptIds, ...endOf(answer) };
  return {
    id: "cmpl-wire",
    object: "text_completion",
    created: 0,
    model,
    choices: [choice],
    usage: usageOf(answer, prompt),
  };
}
