import { WinnowError } from "../../core/errors.ts";

/** Bytes of one answer. A token costs about 350 of them in a stream. */
export const ANSWER_BYTES_MAX = 16 * 2 ** 20;
/** Bytes of a refusal that are read; the rest says nothing more. */
const REFUSAL_BYTES_MAX = 65_536;

/**
 * A `fetch` for servers that nobody vouches for: follows no redirect (it would take the key and the texts elsewhere),
 * ends an answer that is too large, and refuses pages and plain JSON where a stream was asked for. Compressed answers are
 * counted as they unpack.
 */
export function guardedFetch(send: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await send(input, { ...init, redirect: "error" });
    const { body, status, statusText, headers } = response;
    if (body === null) return response;
    if (!response.ok) return new Response(cutAt(body, REFUSAL_BYTES_MAX), { status, statusText, headers });
    const type = headers.get("content-type") ?? "";
    if (/\b(html|json)\b/.test(type)) {
      const said = await new Response(cutAt(body, REFUSAL_BYTES_MAX)).text();
      throw new NoStreamError(type.includes("html") ? "" : said);
    }
    return new Response(cappedAt(body, ANSWER_BYTES_MAX), { status, statusText, headers });
  };
}

/** The server accepted the request and answered with something that is not a stream of events. */
export class NoStreamError extends Error {
  override readonly name = "NoStreamError";
  /** The JSON that it sent instead; empty when it was a page. */
  readonly body: string;

  constructor(body: string) {
    super("The answer is not a stream of events.");
    this.body = body;
  }
}

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

function cutAt(body: Bytes, bytesMax: number): Bytes {
  let left = bytesMax;
  return body.pipeThrough(
    new TransformStream({
      transform(part, controller) {
        controller.enqueue(part.subarray(0, left));
        left -= part.byteLength;
        if (left <= 0) controller.terminate();
      },
    }),
  );
}

function cappedAt(body: Bytes, bytesMax: number): Bytes {
  let bytes = 0;
  return body.pipeThrough(
    new TransformStream({
      transform(part, controller) {
        bytes += part.byteLength;
        if (bytes <= bytesMax) controller.enqueue(part);
        else controller.error(oversized(`${bytesMax} bytes`));
      },
    }),
  );
}

export function oversized(limit: string): WinnowError {
  return new WinnowError("policy_failed", `The model's answer was cut off: it is larger than ${limit}.`, {
    hint: "No model writes that much; check what answers at the base URL.",
  });
}
