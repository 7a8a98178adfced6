import type { ServiceEffects } from "../../core/attempts.ts";
import { WinnowError } from "../../core/errors.ts";
import { spokenTime, timeLimit } from "../../core/time-limit.ts";
import type { Notice } from "../../core/types.ts";
import { ANSWERS, readAnswer } from "./answers.ts";
import { CLOUD_HOST, serverUrl } from "./chroma-address.ts";
import { type ChromaCollection, type CollectionInfo, collectionInfo, ServerCollection } from "./collection.ts";
import { ChromaWire } from "./wire.ts";

const DEFAULT_TENANT = "default_tenant";
const DEFAULT_DATABASE = "default_database";
/** The interface that we speak; servers call it so whatever release they are of. */
const KNOWN_MAJOR = "1";
/** Records of one write or deletion on Cloud, whatever its checks say. */
const CLOUD_WRITE_RECORDS_MAX = 300;
const COLLECTIONS_PAGE = 100;
const COLLECTIONS_MAX = 10_000;
/** Time to find out what answers there, over all calls that takes. */
const CONNECT_TIMEOUT_MS = 15_000;
/** Attempts of the first call: a wrong address should be told at once. */
const FIRST_ATTEMPTS_MAX = 2;

export interface ConnectionOptions {
  /** Address of a server, http or https. */
  readonly address: string;
  readonly tenant?: string | undefined;
  readonly database?: string | undefined;
  /** The key itself, from the environment; never stored. */
  readonly apiKey?: string | undefined;
  /** Time of one attempt of a call at most, default `CALL_LIMITS`. */
  readonly callTimeoutMs?: number;
  readonly attemptsMax?: number;
  readonly effects?: ServiceEffects;
  readonly signal?: AbortSignal | undefined;
}

export interface NewCollection {
  readonly name: string;
  readonly space: "l2" | "cosine" | "ip";
  /** How far a query looks, default the server's. More is slower and nearer to exact; Cloud chooses by itself. */
  readonly searchWidth?: number;
  readonly metadata?: Readonly<Record<string, string | number | boolean>>;
}

/** A server, reached once: its version read, its tenant and database found. Holds no socket that has to be closed. */
export interface ChromaConnection {
  /** Without key and path. */
  readonly address: string;
  readonly tenant: string;
  readonly database: string;
  /** As the server says it. */
  readonly version: string;
  /** True where Cloud's limits hold: 300 results a query, 300 records a write. */
  readonly cloud: boolean;
  /** What the user should know about the server, e.g. a version that nobody tried. */
  readonly notices: readonly Notice[];
  /** Every collection by name. */
  collections(signal?: AbortSignal): Promise<readonly CollectionInfo[]>;
  /** Rejects with `corpus_not_found`, naming what there is. */
  collection(name: string, signal?: AbortSignal): Promise<ChromaCollection>;
  /** Rejects with `store_failed` where one of that name exists. */
  createCollection(options: NewCollection, signal?: AbortSignal): Promise<ChromaCollection>;
  deleteCollection(name: string, signal?: AbortSignal): Promise<void>;
}

/**
 * Connects to a Chroma server. Rejects with `invalid_argument` (address), `store_failed` (not reachable, not a Chroma
 * server, too old, key refused) or `corpus_not_found` (tenant or database).
 */
export async function connectChroma(options: ConnectionOptions): Promise<ChromaConnection> {
  const url = serverUrl(options.address);
  const { callTimeoutMs, effects } = options;
  const wire = new ChromaWire({
    url,
    apiKey: options.apiKey,
    attemptsMax: options.attemptsMax,
    ...(callTimeoutMs === undefined ? {} : { callTimeoutMs }),
    ...(effects === undefined ? {} : { effects }),
  });
  const overdue = (): WinnowError => {
    const message = `The Chroma server at ${wire.origin} took longer than ${spokenTime(CONNECT_TIMEOUT_MS)} to say what it is.`;
    return new WinnowError("timeout", message, { retryable: true });
  };
  const limit = timeLimit(CONNECT_TIMEOUT_MS, overdue, options.signal);
  const { signal } = limit;
  try {
    const version = await readVersion(wire, signal);
    const cloud = url.hostname === CLOUD_HOST || url.hostname.endsWith(`.${CLOUD_HOST}`);
    const place = await findDatabase(wire, { ...options, signal }, cloud);
    const checks = await wire.call({ method: "GET", path: "/pre-flight-checks", signal });
    const { max_batch_size: batchMax } = readAnswer(ANSWERS.checks, checks);
    const recordsPerWriteMax = cloud ? Math.min(batchMax, CLOUD_WRITE_RECORDS_MAX) : batchMax;
    return new Connection({ wire, ...place, version, cloud, recordsPerWriteMax });
  } finally {
    limit.end();
  }
}

async function readVersion(wire: ChromaWire, signal: AbortSignal | undefined): Promise<string> {
  try {
    const answer = await wire.call({ method: "GET", path: "/version", signal, attemptsMax: FIRST_ATTEMPTS_MAX });
    return readAnswer(ANSWERS.version, answer);
  } catch (error) {
    if (!WinnowError.isInstance(error) || error.code !== "corpus_not_found") throw error;
    throw new WinnowError("store_failed", `What answers at ${wire.origin} is not a Chroma server of version 1.`, {
      hint: "Check the address; servers before 0.6 have to be brought up to date (pip install --upgrade chromadb).",
      cause: error,
    });
  }
}

interface DatabasePlace {
  readonly tenant: string;
  readonly database: string;
}

/** The given tenant and database, those that a key of Cloud stands for, or the defaults of a server. */
async function findDatabase(
  wire: ChromaWire,
  { tenant, database, signal }: ConnectionOptions,
  cloud: boolean,
): Promise<DatabasePlace> {
  const place = cloud && (tenant === undefined || database === undefined) ? await ofKey(wire, signal) : undefined;
  const found = {
    tenant: tenant ?? place?.tenant ?? DEFAULT_TENANT,
    database: database ?? place?.database ?? DEFAULT_DATABASE,
  };
  // A server lists the collections of a tenant that does not exist as none, so it is asked for the database itself.
  try {
    await wire.call({ method: "GET", path: databasePath(found), signal });
  } catch (error) {
    if (!WinnowError.isInstance(error) || error.code !== "corpus_not_found") throw error;
    const message = `There is no database ${found.database} of tenant ${found.tenant} at ${wire.origin}.`;
    throw new WinnowError("corpus_not_found", message, {
      hint: "Name them with --tenant and --database.",
      cause: error,
    });
  }
  return found;
}

async function ofKey(wire: ChromaWire, signal: AbortSignal | undefined): Promise<DatabasePlace> {
  const answer = await wire.call({ method: "GET", path: "/auth/identity", signal });
  const identity = readAnswer(ANSWERS.identity, answer);
  const databases = [...new Set(identity.databases)].filter((name) => name !== "*");
  const [only, second] = databases;
  if (only === undefined || second !== undefined) {
    const which = only === undefined ? "no database by name" : `several databases: ${databases.join(", ")}`;
    throw new WinnowError("invalid_argument", `The key opens ${which}.`, { hint: "Name one with --database." });
  }
  return { tenant: identity.tenant, database: only };
}

function databasePath({ tenant, database }: DatabasePlace): string {
  return `/tenants/${encodeURIComponent(tenant)}/databases/${encodeURIComponent(database)}`;
}

interface ConnectionParts extends DatabasePlace {
  readonly wire: ChromaWire;
  readonly version: string;
  readonly cloud: boolean;
  readonly recordsPerWriteMax: number;
}

class Connection implements ChromaConnection {
  readonly address: string;
  readonly tenant: string;
  readonly database: string;
  readonly version: string;
  readonly cloud: boolean;
  readonly notices: readonly Notice[];
  readonly #wire: ChromaWire;
  readonly #path: string;
  readonly #recordsPerWriteMax: number;

  constructor(parts: ConnectionParts) {
    this.#wire = parts.wire;
    this.address = parts.wire.origin;
    this.tenant = parts.tenant;
    this.database = parts.database;
    this.version = parts.version;
    this.cloud = parts.cloud;
    this.notices = versionNotices(parts.version);
    this.#path = databasePath(parts);
    this.#recordsPerWriteMax = parts.recordsPerWriteMax;
  }

  async collections(signal?: AbortSignal): Promise<readonly CollectionInfo[]> {
    const found: CollectionInfo[] = [];
    while (found.length < COLLECTIONS_MAX) {
      const path = `${this.#path}/collections?limit=${COLLECTIONS_PAGE}&offset=${found.length}`;
      const page = readAnswer(ANSWERS.collections, await this.#wire.call({ method: "GET", path, signal }));
      found.push(...page.map(collectionInfo));
      if (page.length < COLLECTIONS_PAGE) break;
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async collection(name: string, signal?: AbortSignal): Promise<ChromaCollection> {
    try {
      const path = `${this.#path}/collections/${encodeURIComponent(name)}`;
      const answer = await this.#wire.call({ method: "GET", path, signal });
      return this.#opened(collectionInfo(readAnswer(ANSWERS.collection, answer)));
    } catch (error) {
      if (!WinnowError.isInstance(error) || error.code !== "corpus_not_found") throw error;
      const names = (await this.collections(signal)).map((one) => one.name);
      throw new WinnowError("corpus_not_found", `There is no collection ${name} at ${this.address}.`, {
        hint: names.length === 0 ? "It holds no collection at all." : `It holds: ${names.join(", ")}.`,
        cause: error,
      });
    }
  }

  async createCollection(options: NewCollection, signal?: AbortSignal): Promise<ChromaCollection> {
    const { name, space, searchWidth, metadata } = options;
    // Cloud's index has other settings, and takes none of these.
    const width =
      this.cloud || searchWidth === undefined ? {} : { ef_search: searchWidth, ef_construction: searchWidth };
    const body = {
      name,
      get_or_create: false,
      configuration: this.cloud ? { spann: { space } } : { hnsw: { space, ...width } },
      ...(metadata === undefined ? {} : { metadata }),
    };
    const answer = await this.#wire.call({
      method: "POST",
      path: `${this.#path}/collections`,
      body,
      kind: "write",
      signal,
    });
    return this.#opened(collectionInfo(readAnswer(ANSWERS.collection, answer)));
  }

  async deleteCollection(name: string, signal?: AbortSignal): Promise<void> {
    const path = `${this.#path}/collections/${encodeURIComponent(name)}`;
    await this.#wire.call({ method: "DELETE", path, kind: "write", signal });
  }

  #opened(info: CollectionInfo): ChromaCollection {
    return new ServerCollection({
      wire: this.#wire,
      path: this.#path,
      info,
      recordsPerWriteMax: this.#recordsPerWriteMax,
      searches: this.cloud,
    });
  }
}

function versionNotices(version: string): readonly Notice[] {
  if (version.split(".")[0] === KNOWN_MAJOR) return [];
  const message = `The Chroma server is of version ${version}; Winnow knows version ${KNOWN_MAJOR}. It may answer differently.`;
  return [{ code: "unknown_chroma_version", message }];
}
