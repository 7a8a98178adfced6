import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { isLoopbackHost } from "../core/address.ts";
import { WinnowError } from "../core/errors.ts";
import type { Caller, TokenBook } from "../features/access-tokens.ts";

/** Who asks where no token is needed. */
const ANYBODY: Caller = { name: "anybody", corpora: null };

export interface GuardOptions {
  /** True where only this machine can reach the server. */
  readonly isLocal: boolean;
  /** Names besides this machine's that `Host` may have. */
  readonly allowedHosts: readonly string[];
}

/**
 * Throws `forbidden` for what a page of another site has a browser send: it may have names of its own point at this machine,
 * but it cannot lie about Host and Origin.
 */
export function checkSite(headers: IncomingHttpHeaders, { isLocal, allowedHosts }: GuardOptions): void {
  const { host = "", origin } = headers;
  const name = hostName(host);
  // Beyond this machine a token is needed, which no page of another site has. Probes ask by number.
  const isUsual = (one: string): boolean =>
    isLocal ? isLoopbackHost(one) : allowedHosts.length === 0 || isIP(one.replace(/^\[|\]$/g, "")) !== 0;
  if (name === undefined || !(allowedHosts.includes(name) || isUsual(name))) {
    throw new WinnowError("forbidden", "The header Host names another machine.", {
      hint: "Ask by the address that winnow serve prints, or let it answer to a name with --allow-host NAME.",
    });
  }
  const isSameSite = origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
  const isFetched = headers["sec-fetch-mode"] !== undefined && headers["sec-fetch-mode"] !== "navigate";
  const isForeign = headers["sec-fetch-site"] === "cross-site" || headers["sec-fetch-site"] === "same-site";
  if (isSameSite && !(isFetched && isForeign)) return;
  throw new WinnowError("forbidden", "Pages of other sites may not ask this server.", {
    hint: "Ask from a program, or from a page that this server itself gives.",
  });
}

function hostName(host: string): string | undefined {
  const address = `http://${host}`;
  if (!/^[\w.:[\]-]+$/.test(host) || !URL.canParse(address)) return undefined;
  return new URL(address).hostname;
}

/** Who asks, by the token. Rejects with `unauthorized`; without a book everybody may ask. */
export async function callerOf(headers: IncomingHttpHeaders, book: TokenBook | undefined): Promise<Caller> {
  if (book === undefined) return ANYBODY;
  const [, token] = /^Bearer +([\w.~+/=-]{1,500})$/i.exec(headers.authorization ?? "") ?? [];
  const caller = token === undefined ? undefined : await book.callerOf(token);
  if (caller !== undefined) return caller;
  throw new WinnowError("unauthorized", "This server needs a token that it knows.", {
    hint: "Send the header: Authorization: Bearer TOKEN",
  });
}
