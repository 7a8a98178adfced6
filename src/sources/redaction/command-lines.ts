import type { Finding } from "./finding.ts";
import { looksLikePassword } from "./secret-value.ts";

const REFERENCE = /^(?:\$|<|\{\{|%|\[redacted|\*{3})/;

/** What is given to a program as a password; the first group is the password. Each reaches as far as one command. */
const FORMS: readonly RegExp[] = [
  /\bredis-cli\b[^\n|;&]{0,300}?[ \t](?:-a|--pass)[ \t=]{1,4}["']?([^\s"']{1,512})/g,
  /\bopenssl\b[^\n|;&]{0,300}?[ \t]-[kK][ \t]{1,4}["']?([^\s"']{1,512})/g,
  /[ \t"']-{1,2}pass(?:in|out)?[ \t=]{1,4}["']?pass:([^\s"']{1,512})/g,
  /\bhtpasswd\b(?:[ \t]{1,4}-(?!\w{0,8}[bn])\w{1,8})*[ \t]{1,4}-(?=\w{0,8}b)(?!\w{0,8}n)\w{1,8}(?:[ \t]{1,4}-\w{1,8})*[ \t]{1,4}[^\s|;&-][^\s|;&]{0,256}[ \t]{1,4}[^\s|;&]{1,256}[ \t]{1,4}["']?([^\s"']{1,256})/g,
  /\bhtpasswd\b[ \t]{1,4}-(?=\w{0,8}b)(?=\w{0,8}n)\w{1,8}[ \t]{1,4}[^\s|;&]{1,256}[ \t]{1,4}["']?([^\s"']{1,256})/g,
  /\b(?:echo|printf)[ \t]{1,4}(?:-\w{1,4}[ \t]{1,4}|["']%s(?:\\n)?["'][ \t]{1,4})?["']?([^\n"'|]{1,256}?)(?:\\n)?["']?[ \t]{0,4}\|[ \t]{0,4}sudo\b[^\n|;&]{0,60}?[ \t](?:-\w{0,4}S|--stdin)/g,
  /\bsudo\b[^\n|;&]{0,60}?[ \t](?:-\w{0,4}S|--stdin)\b[^\n|;&]{0,200}?<<<[ \t]{0,4}["']?([^\n"']{1,256})/g,
  /\b(?:machine[ \t]{1,4}[^\s,;]{1,256}|default)\s{1,16}login\s{1,16}[^\s,;]{1,256}\s{1,16}(?:account\s{1,16}[^\s]{1,256}\s{1,16})?password\s{1,16}([^\s]{1,512})/g,
  /\bidentified\s{1,8}(?:with\s{1,8}[^\s]{1,64}\s{1,8})?(?:by|as)\s{1,8}(?:password\s{1,8})?["']([^"'\n]{1,256})/gi,
  /\b(?:with|encrypted|unencrypted)\s{1,8}password\s{1,8}["']([^"'\n]{1,256})/gi,
  /\bset\s{1,8}password\s{1,8}(?:for\s{1,8}[^\s=]{1,256}\s{0,8})?=\s{0,8}(?:password\s{0,2}\()?["']([^"'\n]{1,256})/gi,
  /\b(?:docker|podman|helm|oc|az|skopeo)\b[^\n|;&]{0,100}?[ \t]login\b[^\n|;&]{0,200}?[ \t]-p[ \t=]{1,4}["']?([^\s"']{3,256})/g,
  /\bmongo\w{0,8}\b[^\n|;&]{0,200}?[ \t]-p[ \t=]{1,4}["']?([^\s"']{3,256})/g,
  /\bldap(?:search|modify|add|delete|whoami|passwd)\b[^\n|;&]{0,300}?[ \t]-w[ \t]{1,4}["']?([^\s"']{1,256})/g,
  /\bzip\b[^\n|;&]{0,200}?[ \t]-P[ \t]{1,4}["']?([^\s"']{1,256})/g,
  /\b7z[ar]?[ \t][^\n|;&]{0,200}?[ \t]-p["']?([^\s"']{1,256})/g,
  /\b(?:echo|printf)[ \t]{1,4}["']?[\w.-]{1,64}:([^\n"'|:]{1,256}?)(?:\\n)?["']?[ \t]{0,4}\|[ \t]{0,4}(?:sudo[ \t]{1,4})?chpasswd\b/g,
  /\bset[ \t]{1,4}[\w.:/-]{0,100}?(?:secret_access_key|password|authtoken|_token|secret)[ \t]{1,4}["']?([^\s"'=]{8,256})/gi,
  /\b(?:set|change|update|reset|new|with)[_-]?(?:passwor[dt]|passwd|passphrase)\(\s{0,8}["'`]([^"'`\n]{3,256})/gi,
];

const CELL_NAME =
  "[ \\t]{0,40}[^|\\n]{0,40}?(?:passwor[dt]|passwd|passphrase|passcode|pwd|kennwort|contraseña|密码|密碼|パスワード|secret|token|" +
  "api[-_ ]?key)[*_`]{0,3}";
const CELL_VALUE = "[*_`\"']{0,3}([^\\s|\"'`]{6,512}?)[*_`\"']{0,3}[ \\t]{0,40}(?:\\||\\n|$)";
/** What stands behind the name of a password as an argument, a member or a cell: only what looks like a password. */
const NEIGHBOURS: readonly RegExp[] = [
  /\bname["']?\s{0,4}[:=]\s{0,4}["']?\w{0,40}(?:password|passwd|secret|token|key)(?:_[A-Z0-9]{1,12})?["']?\s{0,4},?\s{1,24}["']?value["']?\s{0,4}[:=]\s{0,4}["']?([^\s"']{6,512})/gi,
  /\b(?:passwor[dt]|passphrase|kennwort|contraseña|token|secret)[ \t](?:for|of|to|on|für|zu|de|del|pour|para)(?:[ \t][\w.@-]{1,24}){1,5}?(?:[ \t](?:is|was|ist|lautet|es|est)[ \t]|[ \t]?[:=][ \t]{0,4})["'`]?([^\s"'`,]{6,256})/giu,
  /["'`][\w-]{0,24}?(?:passwor[dt]|passwd|passphrase|passcode|pwd|secret|token|api[-_]?key)[\w-]{0,12}\\{0,3}["'`]\s{0,8},\s{0,8}\\{0,3}["'`]([^"'`\n\\]{6,256})/gi,
  /(?:passwor[dt]|passwd|passphrase)\(\s{0,8}\\{0,3}["'`]([^"'`\n\\]{6,256})/gi,
  new RegExp(`\\|${CELL_NAME}[ \\t]{1,40}\\|[ \\t]{1,40}${CELL_VALUE}`, "gi"),
  new RegExp(`^[ \\t]{0,8}\\|${CELL_NAME}[ \\t]{0,40}\\|[ \\t]{0,40}${CELL_VALUE}`, "gim"),
];

/** Several words that together are one secret. */
const PHRASE =
  /\b(?:passphrase|pass[ _-]phrase|mnemonic|(?:seed|recovery)[ _-](?:phrase|words))["'`]?[ \t]{0,4}(?:[:=]|[ \t](?:is|was)[ \t:])[ \t]{0,4}["'`]?((?:[A-Za-z]{2,12}[ \t-]){2,24}[A-Za-z]{2,12})(?![\w-])/gi;
/** Words that make several a sentence. */
const OF_SENTENCE =
  /\b(?:the|a|an|for|is|are|was|at|to|of|in|it|be|by|and|or|on|with|as|from|not|no|must|may|can|used|required|optional|when|if|your|this|that|you|we|i|has|have|should|will|see|please|enter|asked|needed)\b/i;

/** Passwords on command lines, in queries and calls, in rows of tables, and of several words. */
export function findCommandLines(text: string): Finding[] {
  const findings: Finding[] = [];
  const add = (form: RegExp, isSecret: (value: string) => boolean): void => {
    for (const match of text.matchAll(form)) {
      const value = match[1];
      if (value === undefined || REFERENCE.test(value) || !isSecret(value)) continue;
      const start = match.index + match[0].lastIndexOf(value);
      findings.push({ start, end: start + value.length, kind: "password" });
    }
  };
  for (const form of FORMS) add(form, () => true);
  for (const form of NEIGHBOURS) add(form, looksLikePassword);
  add(PHRASE, (words) => !OF_SENTENCE.test(words));
  return findings;
}
