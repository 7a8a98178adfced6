/** What the program wraps around things that it puts into messages of the user; all of it goes. */
const LEFT_OUT = [
  "system-reminder",
  "local-command-stdout",
  "local-command-stderr",
  "local-command-caveat",
  "bash-stdout",
  "bash-stderr",
  "command-message",
  "command-contents",
  "task-notification",
  "user-prompt-submit-hook",
  "ide_opened_file",
  "ide_selection",
  "ide_diagnostics",
  "new-diagnostics",
  "teammate-message",
];
/** What the user typed, in a wrapping of the program: kept, as it was typed. */
const COMMAND_NAME = "command-name";
const COMMAND_ARGUMENTS = "command-args";
const SHELL_INPUT = "bash-input";
const TAG = new RegExp(`<(${[...LEFT_OUT, COMMAND_NAME, COMMAND_ARGUMENTS, SHELL_INPUT].join("|")})>`, "g");

const WHOLE_MESSAGE = /^\s*(?:\[Request interrupted by user[^\]\n]{0,40}\]|Caveat: The messages below were generated)/;

/**
 * A message of the user without what the program added. A command with arguments is kept as it was typed
 * (`/review the parser`), one without says nothing about the matter. A tag that is not closed is prose about tags. Linear.
 */
export function withoutNoise(message: string): string {
  if (WHOLE_MESSAGE.test(message)) return "";
  const kept: string[] = [];
  let command = "";
  let from = 0;
  const unclosed = new Set<string>();
  for (const match of message.matchAll(TAG)) {
    const name = match[1] ?? "";
    if (match.index < from || unclosed.has(name)) continue;
    const start = match.index + match[0].length;
    const end = message.indexOf(`</${name}>`, start);
    if (end === -1) {
      unclosed.add(name);
      continue;
    }
    const inner = message.slice(start, end).trim();
    kept.push(message.slice(from, match.index));
    if (name === COMMAND_NAME) command = inner;
    else if (name === COMMAND_ARGUMENTS && inner !== "") kept.push(`${command} ${inner}`.trim());
    else if (name === SHELL_INPUT && inner !== "") kept.push(`! ${inner}`);
    from = end + name.length + "</>".length;
  }
  kept.push(message.slice(from));
  return kept.join("").trim();
}
