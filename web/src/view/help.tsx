import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

const KEYS: readonly (readonly [keys: readonly string[], does: string])[] = [
  [["j", "→"], "next turn"],
  [["k", "←"], "previous turn"],
  [["Home", "End"], "first, last turn"],
  [["1", "2", "3", "4"], "turn, chunks, context, result"],
  [["p"], "show or hide what was pruned, in the context"],
  [["Esc"], "close this, or the chunk"],
  [["?"], "this list"],
];

/** The keys of the page. */
export function Help({ onClose }: { onClose: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title">Keys</h2>
      <dl>
        {KEYS.map(([keys, does]) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit" class="plain">
          Close
        </button>
      </form>
    </dialog>
  );
}
