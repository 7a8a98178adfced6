import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { isAddress } from "../../core/address.ts";
import type { Notice } from "../../core/types.ts";
import { type ChromaConnection, type ConnectionOptions, connectChroma } from "./connection.ts";
import { namedAfter, toldOf } from "./named-place.ts";
import { dataFiles } from "./server/data-files.ts";
import { type Environment, findChroma } from "./server/find-executable.ts";
import { launchServer } from "./server/launch.ts";
import { defaultSnapshotsFolder, takeSnapshot } from "./server/snapshot.ts";

const LOG_FILE = "server.log";

export interface PlaceOptions extends Omit<ConnectionOptions, "address"> {
  /** A data directory, or the address of a server. */
  readonly place: string;
  /** Opens the directory itself instead of a copy of it: the server may migrate and will write to it. */
  readonly inPlace?: boolean | undefined;
  readonly environment: Environment;
  /** Where copies of directories are kept, default in the user's cache. */
  readonly snapshotsFolder?: string;
}

/** A connection, and the server behind it where we started one. */
export interface ChromaPlace {
  readonly connection: ChromaConnection;
  readonly notices: readonly Notice[];
  close(): Promise<void>;
}

/**
 * Connects to a server, or starts one on a copy of a data directory and connects to that. Rejects as `connectChroma`,
 * `takeSnapshot`, `findChroma` and `launchServer` do.
 */
export async function openChromaPlace(options: PlaceOptions): Promise<ChromaPlace> {
  const { place, inPlace, environment, snapshotsFolder, ...connecting } = options;
  if (isAddress(place)) {
    const connection = await connectChroma({ ...connecting, address: place });
    return { connection, notices: connection.notices, close: async () => undefined };
  }
  const executable = await findChroma(environment);
  const opened = inPlace === true ? await openInPlace(place) : await openCopy(options);
  try {
    const logFile = join(opened.logFolder, LOG_FILE);
    const { signal } = options;
    const server = await launchServer({ executable, folder: opened.folder, logFile, environment, signal });
    const close = async (): Promise<void> => {
      await server.close();
      await opened.release();
    };
    try {
      const { address } = server;
      const connected = await toldOf(connectChroma({ ...connecting, address }), address, place);
      const connection = namedAfter(connected, address, place);
      return { connection, notices: [...opened.notices, ...connection.notices], close };
    } catch (error) {
      await server.close();
      throw error;
    }
  } catch (error) {
    await opened.release();
    throw error;
  }
}

interface Opened {
  readonly folder: string;
  readonly logFolder: string;
  readonly notices: readonly Notice[];
  release(): Promise<void>;
}

async function openCopy({ place, environment, snapshotsFolder, signal }: PlaceOptions): Promise<Opened> {
  const snapshot = await takeSnapshot({
    source: place,
    snapshotsFolder: snapshotsFolder ?? defaultSnapshotsFolder(environment),
    signal,
  });
  return { ...snapshot, logFolder: dirname(snapshot.folder) };
}

async function openInPlace(place: string): Promise<Opened> {
  // A server makes a new database where there is none: a wrong path must not leave one behind.
  await dataFiles(resolve(place));
  const logFolder = await mkdtemp(join(tmpdir(), "winnow-chroma-"));
  const message = `${place} is opened in place: its Chroma server may migrate it, and another process must not write to it.`;
  return {
    folder: resolve(place),
    logFolder,
    notices: [{ code: "opened_in_place", message }],
    release: () => rm(logFolder, { recursive: true, force: true }),
  };
}
