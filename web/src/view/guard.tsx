import { type ComponentChildren, Component as PreactComponent } from "preact";
import { WinnowError } from "../../../src/core/errors.ts";
import { type Problem, toProblem } from "./problem.tsx";

interface GuardProps {
  readonly children: ComponentChildren;
}

/**
 * Keeps a record that lies about its shape from emptying the page. What the reader of records does not check shows when it
 * is drawn, and anything that is thrown then but our own errors means damage.
 */
export class Guard extends PreactComponent<GuardProps, { readonly problem?: Problem }> {
  static override getDerivedStateFromError(error: unknown): { readonly problem: Problem } {
    const damage = new WinnowError("record_corrupt", "The record is damaged: a field has the wrong type.", {
      hint: "Open another one, or this one with the version of Winnow that wrote it.",
    });
    return { problem: toProblem(WinnowError.isInstance(error) ? error : damage) };
  }

  override render(): ComponentChildren {
    const { problem } = this.state;
    if (problem === undefined) return this.props.children;
    return (
      <main class="empty">
        <div role="alert">
          <h2>{problem.message}</h2>
          <p>{problem.hint}</p>
        </div>
      </main>
    );
  }
}
