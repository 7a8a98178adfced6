import type { WinnowError } from "../../core/errors.ts";
import type { IndexSummary } from "../indexing/progress.ts";

/** Why a refresh was made: the watch began, something changed, or it was time to look at everything again. */
export type RefreshCause = "start" | "changes" | "look";

/** The corpus was brought up to date. Refreshes that found nothing to do are not told, except the first. */
export interface RefreshedEvent {
  readonly type: "refreshed";
  readonly corpus: string;
  readonly cause: RefreshCause;
  readonly summary: IndexSummary;
  /** Seconds from the first change that was noticed to its being found by searches; as `summary.seconds` otherwise. */
  readonly delaySeconds: number;
}

/** A fact the user should know, e.g. a root that is not there, or that another process is writing. */
export interface WatchNoticeEvent {
  readonly type: "notice";
  readonly corpus: string;
  readonly message: string;
}

/** A refresh failed; the watch goes on, and tries again. Told again only when something else is wrong. */
export interface WatchFailedEvent {
  readonly type: "failed";
  readonly corpus: string;
  readonly error: WinnowError;
}

export type WatchEvent = RefreshedEvent | WatchNoticeEvent | WatchFailedEvent;
