/**
 * Beginning and end of a text that is over the limit, cut at line ends where there are some, with a line between them
 * that says how much is missing. To be used on redacted text only: a cut could leave a part of a credential that no
 * pattern knows any more.
 */
export function excerpt(text: string, unitsMax: number): string {
  if (text.length <= unitsMax) return text;
  const half = Math.floor(unitsMax / 2);
  const head = cutEnd(text.slice(0, half));
  const tail = cutStart(text.slice(text.length - half));
  const missing = text.length - head.length - tail.length;
  return `${head}\n[… ${missing.toLocaleString("en-US")} characters left out …]\n${tail}`;
}

/** Up to the last line end if that costs less than half, else up to a whole character. */
function cutEnd(text: string): string {
  const line = text.lastIndexOf("\n");
  if (line >= text.length / 2) return text.slice(0, line);
  return /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text;
}

function cutStart(text: string): string {
  const line = text.indexOf("\n");
  if (line !== -1 && line < text.length / 2) return text.slice(line + 1);
  return /^[\udc00-\udfff]/.test(text) ? text.slice(1) : text;
}
