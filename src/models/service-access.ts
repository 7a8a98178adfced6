import { WinnowError } from "../core/errors.ts";

/**
 * The address of a service as a URL without a slash at its end. Rejects with `invalid_argument` what is not http or
 * https and what holds a user, a password or a query, where keys like to hide. `what` names the service in messages.
 */
export function serviceBase(baseUrl: string, what: string): URL {
  const base = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol)) {
    throw new WinnowError("invalid_argument", `The base URL of ${what} is not an http or https address.`, {
      hint: "For example --base-url http://127.0.0.1:8000/v1",
    });
  }
  if (base.username !== "" || base.password !== "" || base.search !== "" || base.hash !== "") {
    throw new WinnowError("invalid_argument", `The base URL of ${what} holds a user, a password or a query.`, {
      hint: "Put the key into an environment variable and name it with --api-key-env.",
    });
  }
  base.pathname = base.pathname.replace(/\/+$/, "");
  return base;
}

/**
 * The key that the named variable of the environment holds; undefined where no variable is named. Rejects with
 * `invalid_argument` when it holds none, or one that no HTTP header may carry: the runtime would repeat it in its error.
 */
export function serviceKey(
  variable: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (variable === undefined) return undefined;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)) {
    // It may well be the key itself, so it is not repeated.
    throw new WinnowError("invalid_argument", "What should name the variable with the key is not a variable's name.", {
      hint: "Put the key into an environment variable and give the variable's name, e.g. --api-key-env MY_KEY",
    });
  }
  const key = environment[variable]?.trim() ?? "";
  if (key === "") {
    throw new WinnowError("invalid_argument", `The environment variable ${variable} holds no key.`, {
      hint: `Set ${variable}, or name another variable with --api-key-env.`,
    });
  }
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new WinnowError("invalid_argument", `The key in the environment variable ${variable} is not one.`, {
      hint: "It holds spaces, line ends or characters outside ASCII: set it again.",
    });
  }
  return key;
}
