import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { plural } from "../view/format.ts";
import type { CorpusChoice, Question } from "./api.ts";

const LENGTHS = [5, 10, 20, 30] as const;
const DEFAULT_LENGTH = 10;

interface SearchFormProps {
  readonly corpora: readonly CorpusChoice[];
  readonly isRunning: boolean;
  readonly query: string;
  readonly onAsk: (question: Question) => void;
  readonly onStop: () => void;
}

/** The question, and under "Options" what narrows it down. */
export function SearchForm({ corpora, isRunning, query: given, onAsk, onStop }: SearchFormProps): JSX.Element {
  const [query, setQuery] = useState(given);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [since, setSince] = useState("");
  const [where, setWhere] = useState("");
  const [k, setLength] = useState<number>(DEFAULT_LENGTH);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  useEffect(() => setQuery(given), [given]);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (query.trim() !== "" && !isRunning) onAsk({ query: query.trim(), corpora: chosen, since, where, k });
  };
  const toggle = (name: string): void =>
    setChosen((names) => (names.includes(name) ? names.filter((one) => one !== name) : [...names, name]));
  return (
    <form class="ask" onSubmit={submit}>
      <div class="ask-line">
        <input
          ref={input}
          class="question"
          type="search"
          aria-label="Question"
          placeholder="What did we decide about …?"
          autocomplete="off"
          maxLength={2_000}
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
        {isRunning ? (
          <button type="button" class="main" onClick={onStop}>
            Stop
          </button>
        ) : (
          <button type="submit" class="main" disabled={query.trim() === ""}>
            Search
          </button>
        )}
      </div>
      <details class="options">
        <summary>Options</summary>
        <div class="option-grid">
          {corpora.length > 1 ? (
            <fieldset>
              <legend>Corpora (none chosen: all)</legend>
              {corpora.map(({ name, documents }) => (
                <label key={name} class="toggle">
                  <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} />
                  <bdi>{name}</bdi> <span class="facts">{plural(documents, "document")}</span>
                </label>
              ))}
            </fieldset>
          ) : null}
          <label>
            Changed since
            <input type="date" value={since} onInput={(event) => setSince(event.currentTarget.value)} />
          </label>
          <label>
            Filter
            <input
              type="text"
              placeholder="repository=core AND kind!=draft"
              value={where}
              onInput={(event) => setWhere(event.currentTarget.value)}
            />
          </label>
          <label>
            Documents at most
            <select value={k} onChange={(event) => setLength(Number(event.currentTarget.value))}>
              {LENGTHS.map((length) => (
                <option key={length} value={length}>
                  {length}
                </option>
              ))}
            </select>
          </label>
        </div>
      </details>
    </form>
  );
}
