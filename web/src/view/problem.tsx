import type { JSX } from "preact";
import { toWinnowError } from "../../../src/core/errors.ts";

/** What went wrong, and what the reader can do about it. */
export interface Problem {
  readonly message: string;
  readonly hint: string | undefined;
}

export function toProblem(error: unknown): Problem {
  const { message, hint } = toWinnowError(error);
  return { message, hint };
}

export function ProblemNote({ problem, onClose }: { problem: Problem; onClose: () => void }): JSX.Element {
  return (
    <div class="problem" role="alert">
      <p>
        <strong>{problem.message}</strong> {problem.hint}
      </p>
      <button type="button" class="plain" onClick={onClose}>
        Dismiss
      </button>
    </div>
  );
}
