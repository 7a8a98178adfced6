import type { JSX } from "preact";
import { type ChunkLife, lifeInWords } from "../model/lives.ts";
import { count } from "./format.ts";
import { Uri } from "./result-panel.tsx";

/** One chunk: where it stands, what became of it, its text. */
export function ChunkCard({ life, onClose }: { life: ChunkLife; onClose: () => void }): JSX.Element {
  const { chunk, shownId } = life;
  return (
    <aside class="card" aria-label={`Chunk ${shownId}`}>
      <header class="panel-head">
        <h2>
          <code>{shownId}</code> <bdi>{chunk.title === "" ? chunk.documentId : chunk.title}</bdi>
        </h2>
        <button type="button" class="plain" onClick={onClose}>
          Close
        </button>
        <p class="facts">
          <Uri uri={chunk.uri} line={chunk.line} /> · chunk {chunk.index + 1} of {chunk.count} · {count(chunk.tokens)}{" "}
          tokens
        </p>
        <p class="facts">{capital(lifeInWords(life))}.</p>
      </header>
      <p class="corpus-text chunk-text">{chunk.text.trim()}</p>
    </aside>
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
