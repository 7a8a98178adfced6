import { type ChromaPlace, openChromaPlace, type PlaceOptions } from "./place.ts";

interface Shared {
  readonly opened: Promise<ChromaPlace>;
  users: number;
}

export interface ChromaPlacesOptions {
  /** Keeps places open between their users, until `closeAll`: for work on one collection after the other. */
  readonly keep?: boolean;
  readonly open?: (options: PlaceOptions) => Promise<ChromaPlace>;
}

/**
 * Servers and connections of one process, each place opened once however many collections of it are in use: the server
 * of a data directory costs seconds to start.
 */
export class ChromaPlaces {
  readonly #options: ChromaPlacesOptions;
  readonly #shared = new Map<string, Shared>();

  constructor(options: ChromaPlacesOptions = {}) {
    this.#options = options;
  }

  /** As `openChromaPlace`; the place itself is closed when the last of its users has closed it. */
  async open(options: PlaceOptions): Promise<ChromaPlace> {
    const { place, inPlace = false, tenant = "", database = "", apiKey = "" } = options;
    const key = JSON.stringify([place, inPlace, tenant, database, apiKey]);
    const { open = openChromaPlace, keep = false } = this.#options;
    const shared = this.#shared.get(key) ?? { opened: open(options), users: 0 };
    this.#shared.set(key, shared);
    shared.users++;
    let closed = false;
    const close = async (failed = false): Promise<void> => {
      if (closed) return;
      closed = true;
      shared.users--;
      if (shared.users > 0 || (keep && !failed)) return;
      if (this.#shared.get(key) === shared) this.#shared.delete(key);
      await closeQuietly(shared);
    };
    try {
      return { ...(await shared.opened), close: () => close() };
    } catch (error) {
      await close(true);
      throw error;
    }
  }

  /** Closes what is kept. */
  async closeAll(): Promise<void> {
    const all = [...this.#shared.values()];
    this.#shared.clear();
    await Promise.all(all.map(closeQuietly));
  }
}

async function closeQuietly({ opened }: Shared): Promise<void> {
  await opened.then((place) => place.close()).catch(() => undefined);
}
