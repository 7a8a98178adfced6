import { cp } from "node:fs/promises";
import { join } from "node:path";
import { parseObjectAddress } from "../core/object-address.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
import { objectAccess } from "../retrieval/objects/access.ts";
import { ObjectStore } from "../retrieval/objects/object-store.ts";
import { Mirror } from "../retrieval/published/mirror.ts";
import { type Publication, parsePublication } from "../retrieval/published/publication.ts";
import { type PublishOptions, publishIndex } from "../retrieval/published/publish.ts";
import { openPublished } from "../retrieval/published/published-corpus.ts";
import { type CorpusFixture, corpusFixture } from "./corpus-fixture.ts";
import { type MemoryObjects, memoryObjects } from "./memory-objects.ts";

const ADDRESS = parseObjectAddress("s3://bucket/team");
const IDLE_MS = 5_000;
const MANIFEST_MS = 1_500;

/** An index with a place in memory that it is published at. For tests. */
export interface PublishFixture {
  readonly index: CorpusFixture;
  readonly server: MemoryObjects;
  store(): ObjectStore;
  publish(options?: Partial<PublishOptions>): ReturnType<typeof publishIndex>;
  /** What lies at the address. */
  published(): Publication;
  mirror(name?: string, bytesMax?: number): Mirror;
  reader(options?: Partial<Parameters<typeof openPublished>[0]>): Promise<CorpusReader>;
  remove(): Promise<void>;
}

/** `made` is an index to begin with: copying one takes less time than building it. */
export async function publishFixture(made: Pick<CorpusFixture, "folder">): Promise<PublishFixture> {
  const [index, server] = await Promise.all([corpusFixture(), memoryObjects()]);
  await cp(made.folder, index.folder, { recursive: true });
  const store = () =>
    new ObjectStore({
      address: ADDRESS,
      access: objectAccess(server.environment),
      idleMs: IDLE_MS,
      effects: { sleep: async () => undefined },
    });
  const mirror = (name = "mirror", bytesMax = 1e9) =>
    new Mirror({ store: store(), folder: join(index.base, "mirrors", name), bytesMax, manifestMs: MANIFEST_MS });
  return {
    index,
    server,
    store,
    publish: (options) =>
      publishIndex({ folder: index.folder, store: store(), signal: new AbortController().signal, ...options }),
    published: () => parsePublication(server.objects.get("team/manifest.json")?.body.toString() ?? "", "manifest.json"),
    mirror,
    reader: (options) => openPublished({ name: "team", mirror: mirror(), lookMs: 0, ...options }),
    async remove() {
      await server.close();
      await index.remove();
    },
  };
}
