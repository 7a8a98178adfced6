import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Block, RenderedMessage } from "../../../src/agent/context/rendered.ts";
import { type ContextPiece, type Contexts, type SeenContext, withPruned } from "../model/contexts.ts";
import { toolWord } from "../model/turns.ts";
import { count, plural } from "./format.ts";

interface ContextPanelProps {
  readonly contexts: Contexts | "failed" | undefined;
  readonly turn: number;
  readonly isPrunedShown: boolean;
  readonly onPrunedShown: (shown: boolean) => void;
}

/** The context exactly as the policy saw it at a turn; what had been pruned by then is struck out, on demand. */
export function ContextPanel({ contexts, turn, isPrunedShown, onPrunedShown }: ContextPanelProps): JSX.Element {
  if (contexts === undefined) return <p class="facts">Rendering the contexts…</p>;
  if (contexts === "failed") return <p class="failed">The record is damaged: its contexts cannot be rendered.</p>;
  const seen = contexts.seen.find((one) => one.turn === turn);
  if (seen === undefined) return <p class="facts">No decision was made in this turn.</p>;
  const before = contexts.seen.findLast((one) => one.turn < turn);
  return (
    <Seen seen={seen} before={before} contexts={contexts} isPrunedShown={isPrunedShown} onPrunedShown={onPrunedShown} />
  );
}

function goToNew(): void {
  document.querySelector(".message.new")?.scrollIntoView({ block: "start" });
}

interface SeenProps {
  readonly seen: SeenContext;
  readonly before: SeenContext | undefined;
  readonly contexts: Contexts;
  readonly isPrunedShown: boolean;
  readonly onPrunedShown: (shown: boolean) => void;
}

function Seen({ seen, before, contexts, isPrunedShown, onPrunedShown }: SeenProps): JSX.Element {
  const { messages } = seen.context;
  const pieces = useMemo(
    () => messages.map((message) => withPruned(message, contexts.shownByCall.get(message.callId ?? "") ?? [])),
    [messages, contexts],
  );
  const known = useMemo(() => new Set(before?.context.messages), [before]);
  const gone = pieces.flat().filter(({ kind }) => kind === "gone").length;
  return (
    <article class="context">
      <header class="panel-head">
        <h2>Context at turn {seen.turn}</h2>
        <p class="facts">
          {count(seen.promptTokens)} tokens in {plural(messages.length, "message")} · <Verdict seen={seen} />
        </p>
        {before === undefined ? null : (
          <button type="button" class="plain" onClick={goToNew}>
            Go to what is new
          </button>
        )}
        <label class="toggle">
          <input
            type="checkbox"
            checked={isPrunedShown && gone > 0}
            disabled={gone === 0}
            onChange={(event) => onPrunedShown(event.currentTarget.checked)}
          />
          {gone === 0 ? "Nothing is pruned yet" : `Show the ${plural(gone, "pruned chunk")}`}
        </label>
      </header>
      <ol class="messages">
        {messages.map((message, i) => (
          <li key={i}>
            <Message
              message={message}
              pieces={pieces[i] ?? []}
              isNew={!known.has(message) && before !== undefined}
              isPrunedShown={isPrunedShown}
            />
          </li>
        ))}
      </ol>
    </article>
  );
}

function Verdict({ seen }: { seen: SeenContext }): JSX.Element {
  return seen.verified ? (
    <span class="verified" title="SHA-256 of this text equals the one recorded when the policy was shown it">
      ✓ verified, byte for byte
    </span>
  ) : (
    <span class="failed">not the bytes that were recorded</span>
  );
}

interface MessageProps {
  readonly message: RenderedMessage;
  readonly pieces: readonly ContextPiece[];
  readonly isNew: boolean;
  readonly isPrunedShown: boolean;
}

function Message({ message, pieces, isNew, isPrunedShown }: MessageProps): JSX.Element {
  const { role, tool, reasoning, calls = [] } = message;
  return (
    <section class={isNew ? `message ${role} new` : `message ${role}`}>
      <h3>
        {role}
        {tool === undefined ? "" : ` · ${toolWord(tool)}`}
        {isNew ? <em>new or changed since the turn before</em> : null}
      </h3>
      {reasoning === undefined ? null : <Text block={reasoning} name="reasoning" />}
      {pieces.map((piece, i) =>
        piece.kind === "seen" ? (
          <Text key={i} block={piece.block} name={piece.block.kind} />
        ) : isPrunedShown ? (
          <del key={i} class="gone">
            <Text block={piece.block} name="chunk" />
          </del>
        ) : null,
      )}
      {calls.map((call) => (
        <pre key={call.id} class="text call">
          {toolWord(call.tool)} {JSON.stringify(call.arguments)}
        </pre>
      ))}
    </section>
  );
}

function Text({ block, name }: { block: Block; name: string }): JSX.Element {
  const text = block.text.trimEnd();
  const cut = block.kind === "chunk" ? text.indexOf("\n") : -1;
  return (
    <pre class={`text ${name}`}>
      {cut < 0 ? null : <b>{text.slice(0, cut)}</b>}
      {cut < 0 ? text : text.slice(cut)}
    </pre>
  );
}
