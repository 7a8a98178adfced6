import { describe, test } from "vitest";

interface SkipOptions {
  /** True for what a checkout may lack everywhere, CI included, such as data that lies beside the repository. */
  readonly mayBeAbsent?: boolean;
}

interface Runners {
  readonly describe: (name: string, body: () => void) => void;
  readonly test: (name: string, body: () => void | Promise<void>, timeoutMs?: number) => void;
}

/**
 * Runners for tests that need something which a machine may lack. Where `condition` holds they run. Elsewhere they are
 * skipped and `message` says what is missing; in CI (`WINNOW_CI=1`) they fail instead, since there all must run.
 */
export function skipUnless(condition: boolean, message: string, options: SkipOptions = {}): Runners {
  if (condition) return { describe, test };
  if (process.env["WINNOW_CI"] === "1" && options.mayBeAbsent !== true) {
    const fail = (name: string): void =>
      test(name, () => {
        throw new Error(`This test is expected to run here, but: ${message}`);
      });
    return { describe: fail, test: fail };
  }
  const skip = (name: string): void => test(name, (context) => context.skip(message));
  return { describe: skip, test: skip };
}
