/** Upper bounds of a histogram's buckets, seconds. */
const SECONDS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

type Labels = Readonly<Record<string, string>>;

interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  lines(): string[];
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function sample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
}

/** Counts up, for each set of labels. */
class Counter {
  readonly #counts = new Map<string, { readonly labels: Labels; value: number }>();

  /** Labels must come from small closed sets: each one is kept for ever. */
  add(labels: Labels = {}, by = 1): void {
    const key = JSON.stringify(labels);
    const known = this.#counts.get(key) ?? { labels, value: 0 };
    known.value += by;
    this.#counts.set(key, known);
  }

  lines(name: string): string[] {
    return [...this.#counts.values()].map(({ labels, value }) => sample(name, labels, value));
  }
}

class Histogram {
  readonly #buckets = SECONDS_BUCKETS.map(() => 0);
  #count = 0;
  #sum = 0;

  observe(seconds: number): void {
    this.#count++;
    this.#sum += seconds;
    for (const [i, bound] of SECONDS_BUCKETS.entries()) {
      if (seconds <= bound) this.#buckets[i] = (this.#buckets[i] ?? 0) + 1;
    }
  }

  lines(name: string): string[] {
    return [
      ...SECONDS_BUCKETS.map((bound, i) => sample(`${name}_bucket`, { le: String(bound) }, this.#buckets[i] ?? 0)),
      sample(`${name}_bucket`, { le: "+Inf" }, this.#count),
      sample(`${name}_sum`, {}, this.#sum),
      sample(`${name}_count`, {}, this.#count),
    ];
  }
}

/** The metrics of a server, in the text format of Prometheus (0.0.4). */
export class Metrics {
  readonly #metrics: Metric[] = [];
  readonly requests = this.#counter("winnow_http_requests_total", "Requests by route and status.");
  readonly refused = this.#counter("winnow_http_refused_total", "Requests that were refused, by the error's code.");
  readonly runsStarted = this.#counter("winnow_runs_started_total", "Runs of the agent that were started.");
  readonly runsEnded = this.#counter("winnow_runs_ended_total", "Runs that ended, by stop reason.");
  readonly tokens = this.#counter("winnow_run_tokens_total", "Tokens of ended runs, by kind.");
  readonly pruned = this.#counter("winnow_run_pruned_chunks_total", "Chunks that ended runs pruned.");
  readonly slowClients = this.#counter("winnow_slow_clients_total", "Streams that were cut because nobody read them.");
  readonly find = this.#histogram("winnow_find_seconds", "Time of a find, waiting left out.");
  readonly run = this.#histogram("winnow_run_seconds", "Time of a run, waiting left out.");

  /** Adds a value that is looked up when it is asked for. */
  gauge(name: string, help: string, value: () => number, type: "gauge" | "counter" = "gauge"): void {
    this.#metrics.push({ name, type, help, lines: () => [sample(name, {}, value())] });
  }

  text(): string {
    const blocks = this.#metrics.map(({ name, type, help, lines }) =>
      [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines()].join("\n"),
    );
    return `${blocks.join("\n")}\n`;
  }

  #counter(name: string, help: string): Counter {
    const counter = new Counter();
    this.#metrics.push({ name, type: "counter", help, lines: () => counter.lines(name) });
    return counter;
  }

  #histogram(name: string, help: string): Histogram {
    const histogram = new Histogram();
    this.#metrics.push({ name, type: "histogram", help, lines: () => histogram.lines(name) });
    return histogram;
  }
}

/** What the process itself uses. */
export function addProcessMetrics(metrics: Metrics): void {
  metrics.gauge("process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss());
  metrics.gauge("process_heap_bytes", "Heap in use.", () => process.memoryUsage().heapUsed);
  const cpuSeconds = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  metrics.gauge("process_cpu_seconds_total", "Processor time, user and system.", cpuSeconds, "counter");
  const started = Date.now() / 1000 - process.uptime();
  metrics.gauge("process_start_time_seconds", "When the process started, since the epoch.", () => started);
}
