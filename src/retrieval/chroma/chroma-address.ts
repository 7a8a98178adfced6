import { WinnowError } from "../../core/errors.ts";

/** Host of Chroma Cloud, where an address names none of its own. */
export const CLOUD_HOST = "api.trychroma.com";
/**
 * The address of a Chroma server, without a slash at its end; a path in front of `/api` is kept (servers behind a
 * proxy). Rejects with `invalid_argument` what is not http or https, and what holds a user, a password or a query.
 */
export function serverUrl(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new WinnowError("invalid_argument", "The address of the Chroma server is not an http or https address.", {
      hint: "For example http://127.0.0.1:8000, or the folder that Chroma keeps its data in.",
    });
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new WinnowError("invalid_argument", "The address of the Chroma server holds a user, a password or a query.", {
      hint: "Put the key into an environment variable and name it with --api-key-env.",
    });
  }
  url.pathname = url.pathname.replace(/(\/api(\/v2)?)?\/*$/, "");
  return url;
}
