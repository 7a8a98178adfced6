import { createHash, timingSafeEqual } from "node:crypto";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { isLoopbackHost } from "../../core/address.ts";
import { WinnowError } from "../../core/errors.ts";

export interface ListenOptions {
  /** Address to listen on. Any other than a loopback one needs a token. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/**
 * Starts listening and returns the server's address, `http://HOST:PORT`. Rejects with `invalid_argument` for one that is in
 * use. `onError` is told of what goes wrong later, such as a connection that cannot be accepted for want of files.
 */
export async function listenOn(
  server: Server,
  { host, port }: ListenOptions,
  onError: (error: Error) => void,
): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: Error): void =>
      reject(
        new WinnowError("invalid_argument", `Cannot listen on ${host}:${port}: ${error.message}.`, {
          hint: "Choose another port with --port, or 0 for any.",
          cause: error,
        }),
      );
    server.once("error", refuse);
    server.listen(port, host, () => {
      server.off("error", refuse);
      server.on("error", onError);
      resolve();
    });
  });
  const { port: taken } = server.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${taken}`;
}

/** Throws `invalid_argument` where others than this machine could call without a token. */
export function requireTokenBeyondLoopback(host: string, hasToken: boolean, hint: string): void {
  if (isLoopbackHost(host) || hasToken) return;
  throw new WinnowError("invalid_argument", `${host} can be reached by others: it needs a token.`, { hint });
}

export function sha256(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}

/** Compared in constant time, so that answers do not tell how much of a guess was right, nor how long the secret is. */
export function isSameSecret(given: string, wanted: string): boolean {
  return timingSafeEqual(sha256(given), sha256(wanted));
}
