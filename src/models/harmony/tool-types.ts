import { WinnowError } from "../../core/errors.ts";

/**
 * The TypeScript-like notation in which harmony tells a model of a function's parameters, from their JSON Schema. Every
 * blank and comma is a fact of the format that models were trained on: golden files pin it.
 */

/** Nesting of a schema. */
const DEPTH_MAX = 48;

type Schema = Readonly<Record<string, unknown>>;

function asSchema(value: unknown): Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Schema) : {};
}

function listOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function hasEnum(schema: Schema): boolean {
  return (listOf(schema["enum"])?.length ?? 0) > 0;
}

/** The type of a value that `schema` describes. Rejects a schema that is nested too deeply with `limit_exceeded`. */
export function typeOfSchema(schema: unknown): string {
  return typeText(schema, "", 0);
}

function typeText(value: unknown, indent: string, depth: number): string {
  if (depth > DEPTH_MAX) {
    throw new WinnowError("limit_exceeded", `The parameters of a tool are nested more than ${DEPTH_MAX} levels deep.`, {
      hint: "Describe the inner levels as a plain object.",
    });
  }
  const schema = asSchema(value);
  const variants = listOf(schema["oneOf"]);
  if (variants !== undefined) {
    return variants.map((variant) => `\n${indent} | ${variantText(variant, indent, depth)}`).join("");
  }
  const types = listOf(schema["type"])?.filter((name) => typeof name === "string") ?? [];
  if (types.length > 0) return types.map((name) => (name === "integer" ? "number" : name)).join(" | ");
  switch (schema["type"]) {
    case "object":
      return objectText(schema, indent, depth);
    case "string":
      return stringText(schema);
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "boolean";
    case "array":
      return "items" in schema ? `${typeText(schema["items"], indent, depth + 1)}[]` : "Array<any>";
    default:
      return "any";
  }
}

function stringText(schema: Schema): string {
  const values = listOf(schema["enum"])?.filter((item) => typeof item === "string") ?? [];
  return values.length === 0 ? "string" : values.map((item) => `"${item}"`).join(" | ");
}

function nullableText(value: unknown, indent: string, depth: number): string {
  const text = typeText(value, indent, depth);
  return asSchema(value)["nullable"] === true && !text.includes("null") ? `${text} | null` : text;
}

/** A variant of a `oneOf` that stands for a whole type, with its comment. */
function variantText(value: unknown, indent: string, depth: number): string {
  const schema = asSchema(value);
  const comments: string[] = [];
  const description = textOf(schema["description"]);
  if (description !== undefined) comments.push(description);
  if ("default" in schema) comments.push(`default: ${quotedDefault(schema)}`);
  return nullableText(value, `${indent}   `, depth + 1) + trailing(comments);
}

function trailing(comments: readonly string[]): string {
  return comments.length === 0 ? "" : ` // ${comments.join(" ")}`;
}

/** A default in quotes where it is text. */
function quotedDefault(schema: Schema): string {
  const value = schema["default"];
  return typeof value === "string" && !hasEnum(schema) ? `"${value}"` : JSON.stringify(value);
}

/** A default as properties show it: bare where it is one of an enumeration. */
function propertyDefault(schema: Schema): string {
  const value = schema["default"];
  return typeof value === "string" && hasEnum(schema) ? value : quotedDefault(schema);
}

function objectText(schema: Schema, indent: string, depth: number): string {
  const description = textOf(schema["description"]);
  const required = new Set(listOf(schema["required"]) ?? []);
  const properties = Object.entries(asSchema(schema["properties"]));
  const body = properties.map(([name, value]) =>
    propertyText(`${name}${required.has(name) ? "" : "?"}`, value, indent, depth),
  );
  const above = description === undefined ? "" : `${indent}// ${description}\n`;
  return `${above}{\n${body.join("")}${indent}}`;
}

function propertyText(name: string, value: unknown, indent: string, depth: number): string {
  const schema = asSchema(value);
  const variants = listOf(schema["oneOf"]);
  let out = "";
  const title = textOf(schema["title"]);
  if (title !== undefined) out += `${indent}// ${title}\n${indent}//\n`;
  const description = textOf(schema["description"]);
  if (!("oneOf" in schema) && description !== undefined) out += `${indent}// ${description}\n`;
  const examples = listOf(schema["examples"]) ?? [];
  if (examples.length > 0) {
    out += `${indent}// Examples:\n`;
    for (const example of examples) if (typeof example === "string") out += `${indent}// - "${example}"\n`;
  }
  if (variants !== undefined) return out + choiceText(name, schema, variants, indent, depth);
  out += `${indent}${name}: ${nullableText(value, `${indent}    `, depth + 1)},`;
  if ("default" in schema && !("oneOf" in schema)) out += ` // default: ${propertyDefault(schema)}`;
  return `${out}\n`;
}

/** A property with a `oneOf`: one line a variant, and each description only once. */
function choiceText(name: string, schema: Schema, variants: readonly unknown[], indent: string, depth: number): string {
  const description = textOf(schema["description"]);
  const repeated = description !== undefined && textOf(asSchema(variants[0])["description"]) === description;
  const above = description !== undefined && !repeated;
  let out = above ? `${indent}// ${description}\n` : "";
  if ("default" in schema) out += `${indent}// default: ${propertyDefault(schema)}\n`;
  out += `${indent}${name}:\n`;
  for (const [i, value] of variants.entries()) {
    const variant = asSchema(value);
    const comments: string[] = [];
    const own = textOf(variant["description"]);
    if (!(i === 0 && above) && own !== undefined && own !== description) comments.push(own);
    if ("default" in variant) comments.push(`default: ${propertyDefault(variant)}`);
    out += `${indent} | ${nullableText(value, `${indent}   `, depth + 1)}${trailing(comments)}\n`;
  }
  return `${out}${indent},\n`;
}
