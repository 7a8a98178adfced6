/** Counts of replaced secrets by kind, for people; empty when nothing was replaced. */
export function redactedText(redacted: Readonly<Record<string, number>>): string {
  return Object.entries(redacted)
    .map(([kind, count]) => `${count.toLocaleString("en-US")} ${kind.replaceAll("-", " ")}`)
    .join(", ");
}
