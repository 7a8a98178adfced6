/** The attempts of services are those of every client: stores make them too. */
export {
  ATTEMPTS_MAX,
  type FailedAttempt,
  isTransientStatus,
  RETRY_AFTER_MAX_MS,
  retryAfterMs,
  retryNotice,
  type ServiceEffects,
  withAttempts,
} from "../core/attempts.ts";
