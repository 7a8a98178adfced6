import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

/** The page without a record: a place to drop one, and a chooser. */
export function EmptyPage({ onFiles }: { onFiles: (files: readonly File[]) => void }): JSX.Element {
  return (
    <main class="empty">
      <h1>Open a run</h1>
      <p>
        Drop a record here, or choose one: a <code>.jsonl</code> file under <code>.winnow/runs</code>. Two of them are
        shown side by side. Nothing leaves this page.
      </p>
      <FileButton onFiles={onFiles} text="Choose a file" />
    </main>
  );
}

/** A button that opens the system's file chooser. */
export function FileButton({
  onFiles,
  text,
}: {
  onFiles: (files: readonly File[]) => void;
  text: string;
}): JSX.Element {
  return (
    <label class="file-button">
      {text}
      <input
        type="file"
        accept=".jsonl,.json,.txt"
        multiple
        onChange={(event) => {
          onFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
    </label>
  );
}

/** Takes files that are dropped anywhere on the page; shows that it would while they hover. */
export function DropArea({ onFiles }: { onFiles: (files: readonly File[]) => void }): JSX.Element | null {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;
    const over = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setOver(false);
      onFiles([...(event.dataTransfer?.files ?? [])]);
    };
    document.addEventListener("dragover", over);
    document.addEventListener("dragleave", leave);
    document.addEventListener("drop", drop);
    return () => {
      document.removeEventListener("dragover", over);
      document.removeEventListener("dragleave", leave);
      document.removeEventListener("drop", drop);
    };
  }, [onFiles]);
  return isOver ? <div class="drop-area">Drop one record, or two to compare</div> : null;
}
