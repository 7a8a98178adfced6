import { type Gate, through } from "../../core/gate.ts";
import type { StoreReader } from "./store.ts";

/**
 * The same reader, whose queries go through a gate, each by itself or several in a turn: the half of a query that is done
 * must not hold its rows until the other half has waited too. Reading all rows, which lasts as long as its caller takes,
 * and counting are let through.
 */
export function inTurns(reader: StoreReader, gate: Gate): StoreReader {
  return {
    capabilities: reader.capabilities,
    lexical: (query) => through(gate, query.signal, () => reader.lexical(query)),
    dense: (query) => through(gate, query.signal, () => reader.dense(query)),
    chunks: (ids, signal) => through(gate, signal, () => reader.chunks(ids, signal)),
    chunksOf: (ids, range, signal) => through(gate, signal, () => reader.chunksOf(ids, range, signal)),
    spansOf: (ids, signal) => through(gate, signal, () => reader.spansOf(ids, signal)),
    documentsWhere: (filter, signal) => through(gate, signal, () => reader.documentsWhere(filter, signal)),
    scan: (signal) => reader.scan(signal),
    rows: (signal) => reader.rows(signal),
    counts: () => reader.counts(),
    turn: (signal, work) => through(gate, signal, () => work(reader)),
    close: () => reader.close(),
  };
}
