import type { Finding, SecretKind } from "./finding.ts";

/**
 * Credentials that say by their form what they are. Every pattern either ends in an open run of one class of characters,
 * so that a match never has to be taken back, or begins where such a run begins: that keeps all of them linear.
 */
const FORMS: readonly (readonly [kind: SecretKind, form: RegExp])[] = [
  ["private-key", /AGE-SECRET-KEY-1[0-9A-Z]{20,}/g],
  ["aws-key", /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])/g],
  ["github-token", /gh[pousr]_[A-Za-z0-9]{30,}/g],
  ["github-token", /github_pat_[A-Za-z0-9_]{22,}/g],
  ["gitlab-token", /gl(?:pat|ptt|dt|rt|ft|soat|cbt|agent|imt|oas|ffct)-[\w.-]{16,}/g],
  ["slack-token", /xox[a-z](?:\.xox[a-z])?-[\w-]{10,}/g],
  ["slack-token", /xapp-\d-[\w-]{10,}/g],
  ["slack-token", /hooks\.slack\.com\/(?:services|workflows|triggers)\/[\w/+=-]{16,}/g],
  ["stripe-key", /[rs]k_(?:live|test)_[A-Za-z0-9]{10,}/g],
  ["stripe-key", /whsec_[A-Za-z0-9+/=]{16,}/g],
  ["google-key", /AIza[\w-]{30,}/g],
  ["google-key", /GOCSPX-[\w-]{16,}/g],
  ["google-key", /ya29\.[\w-]{16,}/g],
  ["google-key", /(?<![\w/])1\/\/0[\w-]{24,}/g],
  ["npm-token", /npm_[A-Za-z0-9]{36,}/g],
  ["pypi-token", /pypi-AgE[\w-]{16,}/g],
  ["anthropic-key", /sk-ant-[\w-]{12,}/g],
  ["openai-key", /sk-(?:proj|svcacct|admin|or-v1|lf)-[\w-]{16,}/g],
  ["openai-key", /(?<![\w-])sk-(?=[a-z-]{0,64}[A-Z0-9])[\w-]{20,}/g],
  ["jwt", /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g],
  ["service-token", /hf_[A-Za-z0-9]{30,}/g],
  ["service-token", /SG\.[\w-]{16,}\.[\w-]{16,}/g],
  ["service-token", /do[opr]_v1_[0-9a-f]{40,}/g],
  ["service-token", /(?<![A-Za-z0-9])(?:SK[0-9a-f]{32}|dapi[0-9a-f]{32}|key-[0-9a-f]{32})(?![A-Za-z0-9])/g],
  ["service-token", /(?<!\d)\d{8,10}:AA[\w-]{32,}/g],
  ["service-token", /shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32,}/g],
  ["service-token", /(?:dckr_pat_|dp\.(?:pt|st|ct|sa)\.|hv[bs]\.|s\.hvs\.)[\w-]{20,}/g],
  ["service-token", /(?:lin_api_|ntn_|gsk_|xai-|pplx-|r8_|sbp_|sb_secret_|figd_|glsa_|pul-|tskey-)[\w-]{24,}/g],
  [
    "service-token",
    /(?<![A-Za-z0-9])(?:PMAK-|NRAK-|ATATT3|ATCTT3|rubygems_|pscale_tkn_|tvly-|fc-|jina_|co_api_)[\w-]{24,}/g,
  ],
  ["service-token", /discord(?:app)?\.com\/api\/webhooks\/\d{5,20}\/[\w-]{20,}/g],
];

/** Credentials in bare text, by their form. */
export function findCredentials(text: string): Finding[] {
  const findings: Finding[] = [];
  for (const [kind, form] of FORMS) {
    for (const { index, 0: found } of text.matchAll(form)) {
      findings.push({ start: index, end: index + found.length, kind });
    }
  }
  return findings;
}
