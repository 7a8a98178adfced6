import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { WinnowError } from "../core/errors.ts";

export const BODY_BYTES_MAX = 1_000_000;
/** What is still taken in of a body that is too long, so that its sender gets to read the answer. */
const DISCARDED_BYTES_MAX = 8_000_000;

/** The body as JSON. Rejects with `unsupported_media`, `limit_exceeded` or `invalid_argument`. */
export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const type = request.headers["content-type"] ?? "";
  // A form of another site's page can send anything but this type.
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new WinnowError("unsupported_media", "The body has to be JSON.", {
      hint: "Send the header: Content-Type: application/json",
    });
  }
  const text = await readText(request);
  try {
    return JSON.parse(text);
  } catch {
    throw new WinnowError("invalid_argument", "The body is not JSON.", { hint: 'Example: {"query": "…"}' });
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes <= BODY_BYTES_MAX) parts.push(part);
    else if (bytes > DISCARDED_BYTES_MAX) break;
  }
  if (bytes <= BODY_BYTES_MAX) return Buffer.concat(parts).toString("utf8");
  throw new WinnowError("limit_exceeded", `The body is longer than ${BODY_BYTES_MAX} bytes.`, {
    hint: "Ask a shorter question, with fewer filters.",
  });
}

/** The value as a schema lets it through. Throws `invalid_argument` that names what is wrong. */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "" : ` (${issue.path.join(".")})`;
  throw new WinnowError("invalid_argument", `The ${what} cannot be used${where}: ${issue?.message ?? "wrong shape"}.`, {
    hint: "GET /openapi.json describes what may be asked.",
  });
}

/** Parameters of an address as an object: lists where the schema has lists, else one text each. Throws `invalid_argument`. */
export function queryOf(search: string, schema: z.ZodObject | undefined): unknown {
  const given = new URLSearchParams(search);
  const found: Record<string, unknown> = {};
  for (const key of new Set(given.keys())) {
    const values = given.getAll(key);
    if (isList(schema?.shape[key])) found[key] = values;
    else if (values.length === 1) found[key] = values[0];
    else throw new WinnowError("invalid_argument", `The parameter "${key}" is given more than once.`);
  }
  return found;
}

function isList(schema: unknown): boolean {
  return schema instanceof z.ZodArray || (schema instanceof z.ZodOptional && isList(schema.unwrap()));
}
