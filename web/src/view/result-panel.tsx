import { Fragment, type JSX } from "preact";
import { useState } from "preact/hooks";
import type { ResultDocument } from "../../../src/agent/result.ts";
import type { Passage } from "../../../src/core/types.ts";
import { linkAddress, queryWords, segmentsOf } from "../model/highlight.ts";
import type { Run } from "../model/load.ts";
import { standingOf } from "../model/standing.ts";
import { plural, stopWords } from "./format.ts";

/** Longer passages are shown cut at first, unless they hold the quote. */
const PASSAGE_UNITS_CUT = 700;
const PASSAGE_LINES_CUT = 8;

/** What the run returned: documents in order, why, and the passages that speak for them. */
export function ResultPanel({ run }: { run: Run }): JSX.Element {
  const { result } = run;
  if (result === undefined) {
    return <p class="facts">The run did not end: its process died, or it is still going.</p>;
  }
  const words = queryWords(result.query);
  const by = {
    policy: "by the policy",
    forced: "by the policy, when asked to conclude",
    from_record: "from the record",
  };
  return (
    <article class="result">
      <header class="panel-head">
        <h2>{plural(result.documents.length, "document")}</h2>
        <p class="facts">
          {result.outcome} · {stopWords(result.stopReason)} · list made {by[result.concluded]}
        </p>
      </header>
      {result.error === undefined ? null : <p class="failed">{result.error.message}</p>}
      {result.notices.map(({ message }) => (
        <p key={message} class="notice-line">
          {message}
        </p>
      ))}
      <ol class="documents">
        {result.documents.map((document) => (
          <Document key={`${document.corpus}\u0000${document.id}`} document={document} words={words} />
        ))}
      </ol>
    </article>
  );
}

function Document({ document, words }: { document: ResultDocument; words: ReadonlySet<string> }): JSX.Element {
  const { rank, title, id, justification, passages, quote, pruned, duplicates } = document;
  const { facts, stale } = standingOf(document.metadata);
  const isQuoteElsewhere = quote !== undefined && !passages.some((passage) => overlaps(passage, quote));
  return (
    <li>
      <h3>
        <span class="rank">{rank}</span> <bdi>{title.trim() === "" ? id : title}</bdi>
        {stale === undefined ? null : (
          <em class="stale">
            <bdi>{stale}</bdi>
          </em>
        )}
        {pruned ? <em>pruned before the end</em> : null}
        {duplicates.length > 0 ? <em>same text in {duplicates.map((other) => other.id).join(", ")}</em> : null}
      </h3>
      <p class="facts">
        <Uri uri={document.uri} line={passages[0]?.line} />
        {facts.map((fact) => (
          <Fragment key={fact}>
            {" · "}
            <bdi class="fact">{fact}</bdi>
          </Fragment>
        ))}
      </p>
      {justification === "" ? null : <p class="why corpus-text">{justification}</p>}
      {isQuoteElsewhere ? (
        <blockquote class="passage">
          <mark class="quote">{quote.text}</mark>
        </blockquote>
      ) : null}
      {passages.map((passage) => (
        <PassageText key={passage.start} passage={passage} words={words} quote={quote} />
      ))}
    </li>
  );
}

function overlaps(passage: Passage, quote: Passage): boolean {
  return quote.start < passage.end && quote.end > passage.start;
}

interface PassageProps {
  readonly passage: Passage;
  readonly words: ReadonlySet<string>;
  readonly quote: Passage | undefined;
}

function PassageText({ passage, words, quote }: PassageProps): JSX.Element {
  const text = passage.text.trimEnd();
  const isLong = text.length > PASSAGE_UNITS_CUT || text.split("\n").length > PASSAGE_LINES_CUT;
  const hasQuote = quote !== undefined && overlaps(passage, quote);
  const [isOpen, setOpen] = useState(!isLong || hasQuote);
  return (
    <blockquote class={isOpen ? "passage" : "passage cut"}>
      <span class="line">line {passage.line}</span>
      <p class="corpus-text">
        {segmentsOf({ ...passage, text }, words, quote).map(({ text: part, mark }, i) =>
          mark === undefined ? (
            part
          ) : (
            <mark key={i} class={mark}>
              {part}
            </mark>
          ),
        )}
      </p>
      {isLong ? (
        <button type="button" class="more" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? "Show less" : "Show all of it"}
        </button>
      ) : null}
    </blockquote>
  );
}

/** A link where the uri is an address of the web, plain text everywhere else. */
export function Uri({ uri, line }: { uri: string; line?: number | undefined }): JSX.Element {
  const address = linkAddress(uri);
  const text = line === undefined ? uri : `${uri}:${line}`;
  if (address === undefined) return <bdi class="uri">{text}</bdi>;
  return (
    <a class="uri" href={address} target="_blank" rel="noopener noreferrer">
      {uri}
    </a>
  );
}
