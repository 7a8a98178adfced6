/**
 * What was found, from the most telling to the least: where findings overlap, the first one here gives its name. The
 * word stands in the text in place of the secret, so that a reader knows what was there.
 */
export const SECRET_KINDS = [
  "private-key",
  "aws-key",
  "github-token",
  "gitlab-token",
  "slack-token",
  "stripe-key",
  "google-key",
  "npm-token",
  "pypi-token",
  "anthropic-key",
  "openai-key",
  "service-token",
  "jwt",
  "url-password",
  "authorization",
  "cookie",
  "password",
  "secret",
  "random-token",
  "secret-file",
] as const;

export type SecretKind = (typeof SECRET_KINDS)[number];

/** A range of text that must not be shown, in UTF-16 offsets. */
export interface Finding {
  readonly start: number;
  readonly end: number;
  readonly kind: SecretKind;
}
