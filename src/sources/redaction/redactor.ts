import { cleanText } from "./clean-text.ts";
import type { SecretKind } from "./finding.ts";
import { REDACTION_UNITS_MAX, redact, redactedAs } from "./redact.ts";
import { contentsOf, withoutSecretSections } from "./secret-files.ts";
import { namesSecret } from "./secret-names.ts";
import { isSecretValue } from "./secret-value.ts";

/**
 * Redacts everything that one item yields, and counts. Every string has to pass through it before it leaves its source:
 * text, titles, arguments, values of metadata. Throws as `redact` does; the item is then left out as a whole.
 */
export class Redactor {
  readonly #counts = new Map<SecretKind, number>();
  readonly #unitsMax: number;

  constructor(unitsMax = REDACTION_UNITS_MAX) {
    this.#unitsMax = unitsMax;
  }

  text(text: string): string {
    const { text: redacted, found } = redact(cleanText(text), this.#unitsMax);
    for (const { kind, count } of found) this.#add(kind, count);
    return redacted;
  }

  /** Output of a tool: as text, and without the parts that come from files that are secret by their name. */
  output(output: string): string {
    const { text, hidden } = withoutSecretSections(cleanText(output));
    this.#add("secret-file", hidden);
    return this.text(text);
  }

  /** Stands in for the content of a secret file. */
  contents(name: string): string {
    this.#add("secret-file", 1);
    return contentsOf(this.text(name));
  }

  /** A value out of JSON with all strings in it redacted; a string under the name of a secret goes as a whole. */
  value(value: unknown, name = ""): unknown {
    if (typeof value === "string") return namesSecret(name) ? this.#named(value) : this.text(value);
    if (typeof value === "number" && namesSecret(name)) return this.#named(String(value));
    if (Array.isArray(value)) return value.map((member) => this.value(member, name));
    if (typeof value !== "object" || value === null) return value;
    const within = (key: string): string => (namesSecret(name) ? name : key);
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [this.text(key), this.value(member, within(key))]),
    );
  }

  /** How many secrets were found so far, by kind; undefined when none was. */
  found(): Readonly<Record<string, number>> | undefined {
    return this.#counts.size === 0 ? undefined : Object.fromEntries(this.#counts);
  }

  #named(value: string): string {
    if (!isSecretValue({ value, strength: "strong", quoted: true, environment: false, alone: true })) {
      return this.text(value);
    }
    this.#add("secret", 1);
    return redactedAs("secret");
  }

  #add(kind: SecretKind, count: number): void {
    if (count > 0) this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
  }
}
