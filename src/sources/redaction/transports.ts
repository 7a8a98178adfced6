import type { Finding } from "./finding.ts";
import { looksGenerated } from "./secret-value.ts";

const HEADER =
  /(?:(authorization)|((?:set-)?cookie))\\{0,3}["'`]?[ \t]{0,8}[:=][ \t]{0,8}\\{0,3}["'`]?[ \t]{0,4}(?:(bearer|basic|token|digest|negotiate|api-?key|aws4-hmac-sha256)[ \t]{1,4})?/gi;
const BARE_SCHEME = /\b(bearer|basic)[ \t]{1,4}([\w.~+/-]{8,}={0,2})/gi;
const HEADER_VALUE = /[^"'`\n]{1,4096}/y;
const REST = /[^"'`\n]*/y;
const REFERENCE = /^(?:\$|<|\{\{|%|\[redacted|\*{3})/;
const USER_AND_PASSWORD = /[^\s:@/?#'"`<>\\]{0,256}:([^\s'"`<>/\\]{1,512})@/y;
const CURL_USER =
  /\b(?:curl|wget)\b[^\n]{0,400}?[ \t](?:-u|--user|--proxy-user)[ \t=]{0,3}["']?[^\s:"']{1,100}:([^\s"']{1,256})/g;
const ATTACHED_PASSWORD =
  /\b(?:mysql\w{0,12}|mariadb\w{0,12}|sshpass)\b[^\n|;&]{0,200}?[ \t]-p[ \t]?(?!\d{1,5}\b)["']?([^\s"'-][^\s"']{2,255})/g;

/** Secrets on the wire and on command lines: headers, addresses that carry a password, users given to a client. */
export function findTransports(text: string): Finding[] {
  return [...headers(text), ...schemes(text), ...addresses(text), ...clients(text)];
}

function headers(text: string): Finding[] {
  const findings: Finding[] = [];
  const header = new RegExp(HEADER);
  for (let match = header.exec(text); match !== null; match = header.exec(text)) {
    const start = header.lastIndex;
    HEADER_VALUE.lastIndex = start;
    const value = HEADER_VALUE.exec(text)?.[0] ?? "";
    const isCookie = match[2] !== undefined;
    const first = /^\S*/.exec(value)?.[0] ?? "";
    if (REFERENCE.test(value)) continue;
    const telling = isCookie ? /^[\w.-]{1,64}=[^\s;]{3}/.test(value) : match[3] !== undefined || looksGenerated(first);
    if (!telling || first.length < 3) continue;
    const digest = /^digest|^aws4/i.test(match[3] ?? "");
    const units = isCookie || digest ? value.length : first.length;
    REST.lastIndex = start + units;
    const rest = units === 4_096 ? (REST.exec(text)?.[0].length ?? 0) : 0;
    findings.push({ start, end: start + units + rest, kind: isCookie ? "cookie" : "authorization" });
    header.lastIndex = start + units + rest;
  }
  return findings;
}

/** `Bearer …` and `Basic …` by themselves: before something generated, and before the base64 of `user:password`. */
function schemes(text: string): Finding[] {
  const findings: Finding[] = [];
  for (const match of text.matchAll(BARE_SCHEME)) {
    const value = match[2] ?? "";
    const isBasic = match[1]?.toLowerCase() === "basic";
    if (isBasic ? !isUserAndPassword(value) : !looksGenerated(value)) continue;
    const end = match.index + match[0].length;
    findings.push({ start: end - value.length, end, kind: "authorization" });
  }
  return findings;
}

function isUserAndPassword(value: string): boolean {
  const text = Buffer.from(value.slice(0, 1_024), "base64").toString("latin1");
  return /^[\x20-\x7e]{1,256}:[\x20-\x7e]/.test(text);
}

function addresses(text: string): Finding[] {
  const findings: Finding[] = [];
  for (let at = text.indexOf("://"); at !== -1; at = text.indexOf("://", at + 3)) {
    USER_AND_PASSWORD.lastIndex = at + 3;
    const match = USER_AND_PASSWORD.exec(text);
    const password = match?.[1];
    if (password === undefined || REFERENCE.test(password)) continue;
    const end = USER_AND_PASSWORD.lastIndex - 1;
    findings.push({ start: end - password.length, end, kind: "url-password" });
  }
  return findings;
}

function clients(text: string): Finding[] {
  const findings: Finding[] = [];
  for (const form of [CURL_USER, ATTACHED_PASSWORD]) {
    for (const match of text.matchAll(form)) {
      const password = match[1];
      if (password === undefined || REFERENCE.test(password)) continue;
      const end = match.index + match[0].length;
      findings.push({ start: end - password.length, end, kind: "password" });
    }
  }
  return findings;
}
