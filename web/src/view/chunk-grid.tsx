import type { JSX } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { type ChunkLife, type DocumentLives, lifeInWords } from "../model/lives.ts";
import type { Run } from "../model/load.ts";
import type { ChooseTurn } from "./choose-turn.ts";
import { count, plural } from "./format.ts";
import { useSize } from "./hooks.ts";
import { Lane } from "./lanes.tsx";
import { Overview } from "./overview.tsx";

const DOCUMENT_ROW = 30;
const CHUNK_ROW = 20;
/** Rows that are kept ready beyond what is in view, each way. */
const AHEAD_PX = 400;
/** Rows change only when so much was scrolled; less than what is kept ready. */
const SCROLL_STEP_PX = 200;
/** Up to here all documents are opened at first. */
const OPEN_CHUNKS_MAX = 120;

type Row =
  | { readonly kind: "document"; readonly document: DocumentLives; readonly top: number }
  | { readonly kind: "chunk"; readonly life: ChunkLife; readonly top: number };

interface ChunkGridProps {
  readonly run: Run;
  readonly turn: number;
  readonly chosen: string | undefined;
  readonly onTurn: ChooseTurn;
  readonly onChunk: (key: string) => void;
}

/** Every chunk's life: rows are documents and their chunks, columns are turns. */
export function ChunkGrid({ run, turn, chosen, onTurn, onChunk }: ChunkGridProps): JSX.Element {
  const [opened, setOpened] = useState<ReadonlySet<string> | "all" | "none">(
    run.lives.length <= OPEN_CHUNKS_MAX ? "all" : "none",
  );
  const [wanted, setWanted] = useState("");
  const [isListOnly, setListOnly] = useState(false);
  const lastTurn = run.turns.at(-1)?.number ?? 1;
  const documents = useMemo(() => filtered(run.documents, wanted, isListOnly), [run, wanted, isListOnly]);
  const isOpen = (key: string): boolean => opened === "all" || (opened !== "none" && opened.has(key));
  const toggle = (key: string): void => {
    const next = new Set(run.documents.map((one) => one.key).filter((one) => isOpen(one) !== (one === key)));
    setOpened(next);
  };
  const { rows, height } = useMemo(() => layOut(documents, isOpen), [documents, opened]);
  return (
    <section class="grid">
      <header class="panel-head">
        <h2>
          {plural(run.lives.length, "chunk")} of {plural(run.documents.length, "document")}
        </h2>
        <Legend />
      </header>
      <Overview run={run} turn={turn} onTurn={onTurn} />
      <div class="grid-tools">
        <label>
          <span class="unseen">Filter documents</span>
          <input
            type="search"
            placeholder="Filter documents"
            value={wanted}
            onInput={(event) => setWanted(event.currentTarget.value)}
          />
        </label>
        <label class="toggle">
          <input type="checkbox" checked={isListOnly} onChange={(event) => setListOnly(event.currentTarget.checked)} />
          In the list only
        </label>
        <button type="button" class="plain" onClick={() => setOpened(opened === "all" ? "none" : "all")}>
          {opened === "all" ? "Close all" : "Open all"}
        </button>
      </div>
      <Rows {...{ rows, height, turn, lastTurn, chosen, onTurn, onChunk, isOpen, toggle }} />
    </section>
  );
}

function filtered(documents: readonly DocumentLives[], wanted: string, isListOnly: boolean): readonly DocumentLives[] {
  const words = wanted
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  return documents.filter(({ title, uri, inResult }) => {
    const text = `${title} ${uri}`.toLowerCase();
    return (inResult || !isListOnly) && words.every((word) => text.includes(word));
  });
}

function layOut(
  documents: readonly DocumentLives[],
  isOpen: (key: string) => boolean,
): { readonly rows: readonly Row[]; readonly height: number } {
  const rows: Row[] = [];
  let top = 0;
  for (const document of documents) {
    rows.push({ kind: "document", document, top });
    top += DOCUMENT_ROW;
    if (!isOpen(document.key)) continue;
    for (const life of document.lives) {
      rows.push({ kind: "chunk", life, top });
      top += CHUNK_ROW;
    }
  }
  return { rows, height: top };
}

interface RowsProps {
  readonly rows: readonly Row[];
  readonly height: number;
  readonly turn: number;
  readonly lastTurn: number;
  readonly chosen: string | undefined;
  readonly onTurn: ChooseTurn;
  readonly onChunk: (key: string) => void;
  readonly isOpen: (key: string) => boolean;
  readonly toggle: (key: string) => void;
}

/** Only the rows near what is in view exist; a run may have thousands. */
function Rows(props: RowsProps): JSX.Element {
  const { rows, height, turn, lastTurn } = props;
  const [ref, size] = useSize<HTMLElement>();
  const [scrolled, setScrolled] = useState(0);
  const asked = useRef(0);
  const from = scrolled - AHEAD_PX;
  const to = scrolled + size.height + AHEAD_PX;
  const near = rows.filter(({ top }) => top > from - DOCUMENT_ROW && top < to);
  const onScroll = (event: { currentTarget: HTMLElement }): void => {
    const element = event.currentTarget;
    cancelAnimationFrame(asked.current);
    asked.current = requestAnimationFrame(() =>
      setScrolled(Math.round(element.scrollTop / SCROLL_STEP_PX) * SCROLL_STEP_PX),
    );
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section ref={ref} class="rows" tabIndex={0} aria-label="Life of every chunk, turn by turn" onScroll={onScroll}>
      {rows.length === 0 ? <p class="facts">No document matches.</p> : null}
      <div class="rows-all" style={{ height: `${height}px` }}>
        <div class="now" aria-hidden="true">
          <span style={{ left: `${((turn - 1) / lastTurn) * 100}%`, width: `${100 / lastTurn}%` }} />
        </div>
        <ul>
          {near.map((row) =>
            row.kind === "document" ? (
              <DocumentRow key={row.document.key} {...props} row={row} />
            ) : (
              <ChunkRow key={row.life.chunk.key} {...props} row={row} />
            ),
          )}
        </ul>
      </div>
    </section>
  );
}

function DocumentRow({
  row,
  lastTurn,
  isOpen,
  toggle,
  onTurn,
}: RowsProps & { row: Row & { kind: "document" } }): JSX.Element {
  const { document, top } = row;
  return (
    <li
      class={document.inResult ? "row document kept" : "row document"}
      style={{ top: `${top}px`, height: `${DOCUMENT_ROW}px` }}
    >
      <button
        type="button"
        class="label"
        aria-expanded={isOpen(document.key)}
        title={document.uri}
        onClick={() => toggle(document.key)}
      >
        <bdi>{document.title}</bdi>
        <span class="marks">
          {count(document.lives.length)}
          <span class="unseen"> chunks{document.inResult ? ", in the list" : ""}</span>
        </span>
      </button>
      <Lane of={document} lastTurn={lastTurn} onTurn={onTurn} />
    </li>
  );
}

function ChunkRow({
  row,
  lastTurn,
  chosen,
  onTurn,
  onChunk,
}: RowsProps & { row: Row & { kind: "chunk" } }): JSX.Element {
  const { life, top } = row;
  const { chunk, shownId } = life;
  const words = lifeInWords(life);
  const heading = chunk.headings.at(-1) ?? chunk.title;
  return (
    <li class={life.inResult ? "row chunk kept" : "row chunk"} style={{ top: `${top}px`, height: `${CHUNK_ROW}px` }}>
      <button
        type="button"
        class="label"
        aria-pressed={chosen === chunk.key}
        aria-label={`${shownId} ${heading}: ${words}`}
        title={`${heading}: ${words}`}
        onClick={() => onChunk(chunk.key)}
      >
        <code>{shownId}</code>
        <bdi>{heading}</bdi>
      </button>
      <Lane of={life} lastTurn={lastTurn} onTurn={onTurn} />
    </li>
  );
}

function Legend(): JSX.Element {
  return (
    <ul class="legend" aria-label="Legend">
      {(
        [
          ["found", "found"],
          ["shown", "in the context"],
          ["pruned", "pruned"],
          ["again", "found again"],
          ["hidden", "found again, hidden"],
        ] as const
      ).map(([kind, words]) => (
        <li key={kind}>
          <i class={kind} aria-hidden="true" />
          {words}
        </li>
      ))}
    </ul>
  );
}
