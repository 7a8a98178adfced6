import { type Load, percentile } from "./generate.ts";

const MIB = 2 ** 20;

/** Memory of the process that answers, over one load. */
interface Memory {
  readonly peakMib: number;
  /** Of a straight line through the second half, when everything that is allocated once is there; MiB a second. */
  readonly slope: number;
}

export function memoryOf({ rss }: Load): Memory {
  const late = rss.slice(Math.floor(rss.length / 2));
  const meanAt = late.reduce((sum, { atMs }) => sum + atMs, 0) / late.length;
  const meanBytes = late.reduce((sum, { bytes }) => sum + bytes, 0) / late.length;
  const spread = late.reduce((sum, { atMs }) => sum + (atMs - meanAt) ** 2, 0);
  const covariance = late.reduce((sum, { atMs, bytes }) => sum + (atMs - meanAt) * (bytes - meanBytes), 0);
  return {
    peakMib: Math.max(...rss.map(({ bytes }) => bytes)) / MIB,
    slope: spread === 0 ? 0 : (1000 * covariance) / spread / MIB,
  };
}

/** Answers a second: in an open loop those that came while requests were sent, in a closed one all. */
export function perSecond({ rate, inTime, seconds, latencies, drainedSeconds }: Load): number {
  return rate === undefined ? latencies.length / drainedSeconds : inTime / seconds;
}

const HEAD =
  "| load | rate | answers a second | CPU ms an answer | p50 ms | p99 ms | refused | other outcomes | pulse p99 ms | peak MiB | MiB a second | drained after s |\n|---|---|---|---|---|---|---|---|---|---|---|---|";

/** A table of loads, one row each. */
export function table(rows: readonly (readonly [name: string, load: Load])[]): string {
  return [HEAD, ...rows.map(([name, load]) => row(name, load))].join("\n");
}

function row(name: string, load: Load): string {
  const { peakMib, slope } = memoryOf(load);
  const others = [...load.codes].map(([code, count]) => `${code} ${count}`).join(", ");
  const cells = [
    name,
    load.rate === undefined ? "" : load.rate.toFixed(1),
    perSecond(load).toFixed(1),
    (load.cpuMs / load.latencies.length).toFixed(1),
    percentile(load.latencies, 0.5).toFixed(0),
    percentile(load.latencies, 0.99).toFixed(0),
    `${load.refused} of ${load.issued}`,
    others,
    percentile(load.pulses, 0.99).toFixed(0),
    peakMib.toFixed(0),
    slope.toFixed(1),
    load.drainedSeconds.toFixed(1),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** What may not happen at any load, in words; empty when nothing of it did. */
export function faults(name: string, load: Load, peakMibMax: number): string[] {
  const { peakMib } = memoryOf(load);
  const unexpected = [...load.codes].filter(([code]) => !/\bbusy$/.test(code));
  return [
    load.settled === load.issued ? "" : `${load.issued - load.settled} requests have neither an answer nor an error`,
    load.different === 0 ? "" : `${load.different} answers differ from those at rest`,
    load.refusedBlankly === 0 ? "" : `${load.refusedBlankly} were refused without a word on when to come again`,
    unexpected.length === 0 ? "" : `failed: ${unexpected.map(([code, count]) => `${code} ${count}`).join(", ")}`,
    load.latencies.length > 0 ? "" : "nothing was answered",
    peakMib <= peakMibMax ? "" : `memory reached ${peakMib.toFixed(0)} MiB, more than ${peakMibMax}`,
  ]
    .filter((fault) => fault !== "")
    .map((fault) => `${name}: ${fault}`);
}
