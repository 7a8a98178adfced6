/**
 * Every failure that a caller can meet, as one closed list. The table says what each code means and how an adapter
 * reports it, so that the command line, HTTP and MCP cannot drift apart.
 */
interface ErrorMeaning {
  /** When this happens, in one sentence. */
  readonly when: string;
  /** Process exit code: 1 failed, 2 usage, 3 partial, 130 interrupted. */
  readonly exit: 1 | 2 | 3 | 130;
  readonly http: number;
  /** JSON-RPC error code for MCP. */
  readonly mcp: number;
}

const INVALID_PARAMS = -32602;
const INTERNAL = -32603;
const NOT_FOUND = -32002;

const meaning = (when: string, exit: ErrorMeaning["exit"], http: number, mcp: number): ErrorMeaning => ({
  when,
  exit,
  http,
  mcp,
});

export const ERROR_CODES = {
  invalid_argument: meaning("An argument or option has a value that cannot be used.", 2, 400, INVALID_PARAMS),
  invalid_filter: meaning("A filter expression cannot be parsed or names an unknown key.", 2, 400, INVALID_PARAMS),
  invalid_pattern: meaning("A grep pattern is not supported.", 2, 400, INVALID_PARAMS),
  invalid_config: meaning("A configuration file cannot be read or has an unknown key.", 2, 500, INTERNAL),
  source_not_found: meaning("A path to index does not exist or cannot be read.", 1, 404, NOT_FOUND),
  nothing_to_index: meaning("The given paths hold no document that can be indexed.", 1, 422, INVALID_PARAMS),
  corpus_not_found: meaning("There is no index at the given place.", 1, 404, NOT_FOUND),
  corpus_format: meaning("The index was written by another format version.", 1, 409, INTERNAL),
  corpus_locked: meaning("Another process is writing to the index.", 1, 409, INTERNAL),
  corpus_corrupt: meaning("A file of the index is damaged.", 1, 500, INTERNAL),
  corpus_mismatch: meaning("The index was built with another embedder or chunker.", 1, 409, INTERNAL),
  document_not_found: meaning("The corpus holds no such document or chunk.", 1, 404, NOT_FOUND),
  run_not_found: meaning("There is no record of such a run.", 1, 404, NOT_FOUND),
  record_corrupt: meaning("A run record is damaged or of another version.", 1, 500, INTERNAL),
  replay_mismatch: meaning("A record does not replay to the same bytes.", 1, 500, INTERNAL),
  dataset_invalid: meaning("An evaluation dataset is missing a part or malformed.", 1, 400, INVALID_PARAMS),
  evaluation_locked: meaning("Another process is running the evaluation.", 1, 409, INTERNAL),
  store_failed: meaning("The store reported a failure.", 1, 500, INTERNAL),
  disk_full: meaning("The disk or quota has no room left.", 1, 507, INTERNAL),
  dependency_missing: meaning("An optional part is not installed on this platform.", 1, 501, INTERNAL),
  policy_unavailable: meaning("The policy does not exist or cannot be reached.", 1, 502, INTERNAL),
  policy_failed: meaning("The policy failed while deciding.", 1, 502, INTERNAL),
  embedder_failed: meaning("The embedder cannot be reached or gave something that is not usable.", 1, 502, INTERNAL),
  rerank_failed: meaning("The reranker cannot be reached or gave something that is not usable.", 1, 502, INTERNAL),
  limit_exceeded: meaning("An input is larger than a named limit.", 1, 413, INVALID_PARAMS),
  unauthorized: meaning("A server was asked without a token that it knows.", 1, 401, INVALID_PARAMS),
  forbidden: meaning("The caller may not ask for this.", 1, 403, INVALID_PARAMS),
  not_found: meaning("A server has nothing at this address.", 1, 404, NOT_FOUND),
  method_not_allowed: meaning("An address of a server does not take this method.", 1, 405, INVALID_PARAMS),
  unsupported_media: meaning("A request's body is of another type than JSON.", 1, 415, INVALID_PARAMS),
  busy: meaning("A server or a corpus has as much work as it takes at once.", 1, 429, INTERNAL),
  unavailable: meaning("A server is shutting down.", 1, 503, INTERNAL),
  timeout: meaning("The work did not end within its time limit.", 3, 504, INTERNAL),
  cancelled: meaning("The caller cancelled the work.", 130, 499, INTERNAL),
  internal: meaning("A defect of Winnow itself.", 1, 500, INTERNAL),
} as const satisfies Record<string, ErrorMeaning>;

export type ErrorCode = keyof typeof ERROR_CODES;

const MARKER = Symbol.for("winnow.error");

export interface WinnowErrorOptions {
  /** What the user can do about it, as one imperative sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** True when the same call may succeed later without a change. Default false. */
  readonly retryable?: boolean;
}

/** The only error that crosses a boundary of ours. `isInstance` works across two copies of the package. */
export class WinnowError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly [MARKER] = true;

  constructor(code: ErrorCode, message: string, options: WinnowErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "WinnowError";
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? false;
  }

  static isInstance(value: unknown): value is WinnowError {
    return typeof value === "object" && value !== null && MARKER in value;
  }
}

/** What to do about a system error, by its code. */
const SYSTEM_HINTS: Readonly<Record<string, string>> = {
  EACCES: "Check who may read and write there.",
  EPERM: "Check who may read and write there.",
  EROFS: "The file system is read-only: use a place that can be written to.",
  EMFILE: "Too many files are open at once: allow more with `ulimit -n`, or do less at the same time.",
  ENFILE: "The system has too many files open: end other programs and try again.",
  ENOENT: "Was it removed meanwhile? Run the same command again.",
  EIO: "The disk reports a failure: check it before anything else.",
  ENOTDIR: "A file stands where a folder is needed: move it away.",
  EISDIR: "A folder stands where a file is needed: move it away.",
  ELOOP: "A link there leads back to itself: remove it.",
  EEXIST: "Something stands in the way there: move it away.",
};

/** Node's `code` of a system error (`ENOENT`, `EACCES`, …), if it has one. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Turns anything thrown into a `WinnowError`; keeps one that already is. Abort becomes `cancelled` or `timeout`. */
export function toWinnowError(error: unknown, fallback: ErrorCode = "internal"): WinnowError {
  if (WinnowError.isInstance(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  const name = error instanceof Error ? error.name : "";
  if (name === "AbortError") return new WinnowError("cancelled", "Cancelled.", { cause: error });
  if (name === "TimeoutError") return new WinnowError("timeout", "The time limit was reached.", { cause: error });
  const system = systemErrorCode(error);
  if (system === "ENOSPC" || system === "EDQUOT" || /no space left on device/i.test(message)) {
    return new WinnowError("disk_full", "The disk has no room left.", {
      hint: "Free some space and run the same command again; what was acknowledged is kept.",
      cause: error,
    });
  }
  const hint = system === undefined ? undefined : SYSTEM_HINTS[system];
  return new WinnowError(fallback, message.split("\n")[0] ?? message, { cause: error, ...(hint && { hint }) });
}
