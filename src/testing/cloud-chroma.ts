import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const CLOUD = "https://api.trychroma.com";
const DATABASE = "/api/v2/tenants/team/databases/notes";
const RESULTS_MAX = 300;
const WORDS_KEY = "words";

export interface SparseValue {
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

export interface CloudRecord {
  readonly id: string;
  readonly document: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly embedding: readonly number[];
  /** Under the key of the collection's sparse index. */
  readonly words?: SparseValue;
}

export interface CloudCollection {
  readonly id: string;
  readonly name: string;
  readonly dimension: number;
  readonly schema?: unknown;
  /** Where the records' metadata hold their sparse vectors, default `words`. */
  readonly wordsKey?: string;
  readonly records: readonly CloudRecord[];
}

export interface CloudRequest {
  readonly method: string;
  /** Below the collection, e.g. `search`; the whole path elsewhere. */
  readonly verb: string;
  readonly body: unknown;
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

type Expression = Readonly<Record<string, unknown>>;
type Scores = (id: string) => number | undefined;

/**
 * A server on the loopback address that speaks Chroma Cloud's interface for one collection, as far as reading needs:
 * its key, its limits, its Search expressions. `fetch` sends there what is meant for Cloud.
 */
export class CloudDouble {
  readonly requests: CloudRequest[] = [];
  /** Replies in place of the double where it gives anything. */
  before: (request: CloudRequest) => Reply | "silence" | undefined = () => undefined;
  readonly #collection: CloudCollection;
  readonly #key: string;
  readonly #server: Server;

  constructor(collection: CloudCollection, key: string) {
    this.#collection = collection;
    this.#key = key;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** For the effects of a connection to Cloud's address. */
  readonly fetch: typeof fetch = (input, init) =>
    fetch(String(input).replace(CLOUD, `http://127.0.0.1:${this.port}`), init);

  start(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, "127.0.0.1", () => resolve()));
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Bodies of the requests with this verb. */
  bodies(verb: string): readonly unknown[] {
    return this.requests.filter((request) => request.verb === verb).map(({ body }) => body);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const part of request) text += String(part);
    const { pathname } = new URL(request.url ?? "", CLOUD);
    const inside = `${DATABASE}/collections/${this.#collection.id}/`;
    const asked = {
      method: request.method ?? "",
      verb: pathname.startsWith(inside) ? pathname.slice(inside.length) : pathname,
      body: text === "" ? undefined : JSON.parse(text),
    };
    this.requests.push(asked);
    const reply =
      this.before(asked) ?? (request.headers["x-chroma-token"] === this.#key ? this.#reply(asked) : REFUSED);
    if (reply === "silence") return;
    response.writeHead(reply.status, { "content-type": "application/json" });
    response.end(JSON.stringify(reply.body));
  }

  #reply({ verb, body }: CloudRequest): Reply {
    const { records, wordsKey: _key, ...info } = this.#collection;
    const given: Expression = isObject(body) ? body : {};
    switch (verb) {
      case "/api/v2/version":
        return ok("1.0.0");
      case "/api/v2/auth/identity":
        return ok({ user_id: "u", tenant: "team", databases: ["notes"] });
      case "/api/v2/pre-flight-checks":
        return ok({ max_batch_size: 1_000 });
      case DATABASE:
        return ok({ name: "notes" });
      case `${DATABASE}/collections/${info.name}`:
        return ok({
          ...info,
          tenant: "team",
          database: "notes",
          metadata: null,
          configuration_json: { spann: { space: "l2" }, embedding_function: null },
        });
      case "count":
        return ok(records.length);
      case "get":
        return this.#get(given);
      case "query":
        return this.#query(given);
      case "search":
        return ok(this.#search(given));
      case "upsert":
      case "delete":
        return listOf(given["ids"]).length > RESULTS_MAX ? QUOTA : ok({});
      default:
        return { status: 404, body: { error: "NotFoundError", message: `${verb} is not there` } };
    }
  }

  #get({ ids, limit, offset, include }: Expression): Reply {
    if (Number(limit ?? listOf(ids).length) > RESULTS_MAX) return QUOTA;
    const wanted = ids === undefined ? undefined : new Set(listOf(ids));
    const start = Number(offset ?? 0);
    const found = this.#collection.records.filter(({ id }) => wanted?.has(id) !== false);
    const page = found.slice(start, start + Number(limit ?? RESULTS_MAX));
    const has = (part: string) => listOf(include).includes(part);
    return ok({
      ids: page.map(({ id }) => id),
      documents: has("documents") ? page.map(({ document }) => document) : null,
      metadatas: has("metadatas") ? page.map((record) => this.#metadata(record)) : null,
      embeddings: has("embeddings") ? page.map(({ embedding }) => embedding) : null,
    });
  }

  /** With the sparse vector among it, as Cloud keeps it. */
  #metadata({ metadata, words }: CloudRecord): unknown {
    const key = this.#collection.wordsKey ?? WORDS_KEY;
    return words === undefined ? metadata : { ...metadata, [key]: { "#type": "sparse_vector", ...words } };
  }

  #query({ query_embeddings: vectors, n_results: limit, ids }: Expression): Reply {
    if (Number(limit) > RESULTS_MAX) return QUOTA;
    const wanted = ids === undefined ? undefined : new Set(listOf(ids));
    const nearest = this.#nearest(listOf(vectors)[0], "#embedding", wanted).slice(0, Number(limit));
    return ok({ ids: [nearest.map(([id]) => id)], distances: [nearest.map(([, distance]) => distance)] });
  }

  #search({ searches }: Expression): unknown {
    const answers = listOf(searches).map((search) => {
      const { filter, rank, limit } = objectOf(search);
      const ids = filter === undefined ? undefined : new Set(listOf(objectOf(objectOf(filter)["#id"])["$in"]));
      const seen = new Set<string>();
      const score = this.#scores(objectOf(rank), ids, seen);
      const { offset, limit: count } = objectOf(limit);
      return [...seen]
        .flatMap((id) => {
          const own = score(id);
          return own === undefined ? [] : [[id, own] as const];
        })
        .sort(byDistance)
        .slice(Number(offset), Number(offset) + Math.min(Number(count), RESULTS_MAX));
    });
    return {
      ids: answers.map((hits) => hits.map(([id]) => id)),
      ...{
        documents: answers.map(() => null),
        embeddings: answers.map(() => null),
        metadatas: answers.map(() => null),
      },
      scores: answers.map((hits) => hits.map(([, score]) => score)),
      select: answers.map(() => ["#score"]),
    };
  }

  /** The value of an expression for a record; `seen` gathers the records that any order in it holds. */
  #scores(rank: Expression, ids: ReadonlySet<unknown> | undefined, seen: Set<string>): Scores {
    const [operator = "", operand] = Object.entries(rank)[0] ?? [];
    const all = (parts: unknown, combine: (a: number, b: number) => number): Scores => {
      const terms = listOf(parts).map((part) => this.#scores(objectOf(part), ids, seen));
      return (id) =>
        terms
          .map((term) => term(id))
          .reduce((a, b) => (a === undefined || b === undefined ? undefined : combine(a, b)));
    };
    if (operator === "$val") return () => Number(operand);
    if (operator === "$sum") return all(operand, (a, b) => a + b);
    if (operator === "$mul") return all(operand, (a, b) => a * b);
    if (operator === "$div") return all([objectOf(operand)["left"], objectOf(operand)["right"]], (a, b) => a / b);
    if (operator !== "$knn") throw new Error(`No operator ${operator}.`);
    const { query, key, limit, default: absent, return_rank: ranks = false } = objectOf(operand);
    const nearest = this.#nearest(query, String(key), ids).slice(0, Number(limit));
    const values = new Map(nearest.map(([id, distance], place) => [id, ranks === true ? place : distance]));
    for (const id of values.keys()) seen.add(id);
    return (id) => values.get(id) ?? (absent === undefined ? undefined : Number(absent));
  }

  #nearest(query: unknown, key: string, ids: ReadonlySet<unknown> | undefined): (readonly [string, number])[] {
    const records = this.#collection.records.filter(({ id }) => ids?.has(id) !== false);
    if (key === "#embedding") {
      const vector = listOf(query).map(Number);
      return records
        .map(
          ({ id, embedding }) => [id, embedding.reduce((sum, x, i) => sum + (x - (vector[i] ?? 0)) ** 2, 0)] as const,
        )
        .sort(byDistance);
    }
    if (key !== (this.#collection.wordsKey ?? WORDS_KEY)) throw new Error(`No index of ${key}.`);
    const asked = objectOf(query);
    const weights = new Map(listOf(asked["indices"]).map((at, i) => [Number(at), Number(listOf(asked["values"])[i])]));
    return records
      .flatMap(({ id, words }) => {
        const shared = words?.indices.map((at, i) => (weights.get(at) ?? 0) * (words.values[i] ?? 0)) ?? [];
        const product = shared.reduce((sum, x) => sum + x, 0);
        return product === 0 ? [] : [[id, -product] as const];
      })
      .sort(byDistance);
  }
}

const REFUSED: Reply = { status: 401, body: { error: "AuthError", message: "Permission denied." } };
const QUOTA: Reply = { status: 422, body: { error: "QuotaError", message: "Quota exceeded: 300 records at most" } };

const ok = (body: unknown): Reply => ({ status: 200, body });
const isObject = (value: unknown): value is Expression => typeof value === "object" && value !== null;
const objectOf = (value: unknown): Expression => (isObject(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const byDistance = (a: readonly [string, number], b: readonly [string, number]): number =>
  a[1] - b[1] || (a[0] < b[0] ? -1 : 1);
