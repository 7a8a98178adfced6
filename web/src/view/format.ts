const NUMBER = new Intl.NumberFormat("en-US");
const DATE = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const MILLISECONDS_PER_SECOND = 1_000;

/** `14,203` */
export const count = (value: number): string => NUMBER.format(value);

/** `1 chunk`, `2 chunks` */
export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;

/** `14.2k`, for places that have no room. */
export const thousands = (value: number): string =>
  value < 1_000 ? String(value) : `${(value / 1_000).toFixed(value < 10_000 ? 1 : 0)}k`;

/** `0.4 s`, `12 ms` */
export const duration = (milliseconds: number): string =>
  milliseconds < MILLISECONDS_PER_SECOND
    ? `${Math.round(milliseconds)} ms`
    : `${(milliseconds / MILLISECONDS_PER_SECOND).toFixed(1)} s`;

/** Date and time where the page is read; empty for what is no time. */
export const moment = (at: number): string => (Number.isFinite(at) ? DATE.format(at) : "");

const STOP_WORDS: Readonly<Record<string, string>> = {
  finished: "finished",
  max_turns: "turn limit",
  budget_exhausted: "budget spent",
  timeout: "time limit",
  cost_limit: "cost limit",
  cancelled: "cancelled",
  policy_error: "policy failed",
  retrieval_error: "retrieval failed",
};

/** Why a run ended, in two words. */
export const stopWords = (reason: string): string => STOP_WORDS[reason] ?? reason;
