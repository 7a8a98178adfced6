import type { JSX } from "preact";

interface TabsProps<T extends string> {
  readonly tabs: readonly (readonly [id: T, name: string])[];
  readonly chosen: T;
  readonly onChoose: (id: T) => void;
}

/** A row of tabs; arrow keys move along it. The panel has the id `panel`. */
export function Tabs<T extends string>({ tabs, chosen, onChoose }: TabsProps<T>): JSX.Element {
  const onKeyDown = (event: KeyboardEvent & { currentTarget: HTMLElement }): void => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const at = (tabs.findIndex(([id]) => id === chosen) + by + tabs.length) % tabs.length;
    const next = tabs[at];
    if (next === undefined) return;
    onChoose(next[0]);
    event.currentTarget.querySelectorAll<HTMLElement>("[role=tab]")[at]?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Views" onKeyDown={onKeyDown}>
      {tabs.map(([id, name]) => (
        <button
          key={id}
          id={`tab-${id}`}
          type="button"
          role="tab"
          aria-selected={id === chosen}
          aria-controls="panel"
          tabIndex={id === chosen ? 0 : -1}
          onClick={() => onChoose(id)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
