import { WinnowError } from "../../core/errors.ts";
import { suggest } from "../../core/suggest.ts";
import type { Profile } from "./profile.ts";

/** What a template may hold; everything else in braces is text. */
export const PLACEHOLDERS = ["query", "steering", "documentsMax", "date"] as const;
export const PLACEHOLDER = /\{(\w+)\}/g;

/** Longest template in UTF-16 units: about half of the default window. */
export const TEMPLATE_UNITS_MAX = 65_536;

const HINT = `Placeholders: ${PLACEHOLDERS.map((name) => `{${name}}`).join(", ")}. Only {query} is needed.`;

/**
 * The profile with the caller's template in place of its own, white space at both ends cut. `name` stands for the template
 * in errors. Throws `invalid_argument` when it is empty, lacks `{query}` or holds what reads like a misspelt placeholder,
 * and `limit_exceeded` beyond `TEMPLATE_UNITS_MAX`.
 */
export function withPrompt(profile: Profile, template: string, name: string): Profile {
  const prompt = template.replace(/\r\n?/g, "\n").trim();
  if (prompt.length > TEMPLATE_UNITS_MAX) {
    throw new WinnowError(
      "limit_exceeded",
      `${name} has ${prompt.length} characters; a prompt may have ${TEMPLATE_UNITS_MAX}.`,
      { hint: "Shorten the prompt: the window must hold it beside the documents." },
    );
  }
  if (prompt === "") throw new WinnowError("invalid_argument", `${name} is empty.`, { hint: HINT });
  const found = [...prompt.matchAll(PLACEHOLDER)].map((match) => match[1] ?? "");
  if (!found.includes("query")) {
    const slip = found.find((word) => suggest(word, ["query"]) !== undefined);
    const meant = slip === undefined ? "" : ` Did you mean {query} where it says {${slip}}?`;
    throw new WinnowError("invalid_argument", `${name} has no {query}, so the question would be left out.${meant}`, {
      hint: HINT,
    });
  }
  for (const word of found) {
    const meant = suggest(word, PLACEHOLDERS);
    if (meant === undefined || meant === word) continue;
    throw new WinnowError("invalid_argument", `${name} has {${word}}. Did you mean {${meant}}?`, { hint: HINT });
  }
  return { ...profile, prompt };
}
