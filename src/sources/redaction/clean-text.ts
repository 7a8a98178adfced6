import { normalizeLineEnds, stripControl, wellFormed } from "../../core/text.ts";

/** What sets colours and moves the cursor; also links of terminals, whose address is not text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the purpose
const TERMINAL = /\u001b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\u0007\u001b\n]{0,2000}(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
/** Characters without a width, which would part a credential in two for us and not for its reader. */
const INVISIBLE = /[\u00ad\u200b\u200e\u200f\u2060\ufeff]/g;

/** Text as it is read: without escape sequences, control characters and invisible ones; line ends are `\n`. */
export function cleanText(text: string): string {
  return wellFormed(stripControl(normalizeLineEnds(text.replace(TERMINAL, "").replace(INVISIBLE, ""))));
}
