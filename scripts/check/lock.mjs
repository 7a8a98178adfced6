/**
 * @typedef {{ version?: string, resolved?: string, dev?: boolean, optional?: boolean, hasInstallScript?: boolean, license?: string,
 *   dependencies?: Record<string, string>, optionalDependencies?: Record<string, string>, link?: boolean }} LockEntry
 * @typedef {{ packages: Record<string, LockEntry> }} Lock
 */

/**
 * Where the lock places a dependency of the package at `from`: its own folder first, then those above it.
 * @param {Lock} lock @param {string} from @param {string} name
 * @returns {string | undefined}
 */
export function placeOf(lock, from, name) {
  for (let at = from; ; at = at.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, "")) {
    const place = `${at === "" ? "" : `${at}/`}node_modules/${name}`;
    if (place in lock.packages) return place;
    if (at === "") return undefined;
  }
}

/**
 * Optional packages that a package of the lock names and the lock does not hold.
 * @param {Lock} lock
 */
export function findMissingOptional(lock) {
  /** @type {Map<string, { name: string, version: string, dev: boolean }>} */
  const missing = new Map();
  for (const [from, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (placeOf(lock, from, name) !== undefined) continue;
      missing.set(name, { name, version, dev: entry.dev === true && missing.get(name)?.dev !== false });
    }
  }
  return [...missing.values()];
}

/**
 * Every place that an install of the published package can fill: what the root depends on, without development.
 * @param {Lock} lock
 * @returns {string[]} places of the lock, sorted
 */
export function productionPlaces(lock) {
  /** @type {Set<string>} */ const found = new Set();
  const visit = (/** @type {string} */ from) => {
    const { dependencies = {}, optionalDependencies = {} } = lock.packages[from] ?? {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const place = placeOf(lock, from, name);
      if (place === undefined) throw new Error(`package-lock.json lacks ${name}, which ${from || "the root"} needs.`);
      if (found.has(place)) continue;
      found.add(place);
      visit(place);
    }
  };
  visit("");
  return [...found].sort();
}

/**
 * What is wrong with a lock: addresses would tie an install to somebody's registry, scripts would run code at install.
 * @param {Lock} lock
 * @returns {string[]}
 */
export function findLockProblems(lock) {
  const entries = Object.entries(lock.packages);
  // fsevents (macOS, optional, for file watching in development) declares one; .npmrc keeps every script from running.
  const scripted = entries.filter(([path, entry]) => entry.hasInstallScript === true && !path.endsWith("/fsevents"));
  return [
    ...entries.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => `${path} has a resolved address.`),
    ...scripted.map(([path]) => `${path} has an install script.`),
    ...findMissingOptional(lock).map(({ name }) => `${name} is missing; run node scripts/complete-lock.mjs.`),
  ].map((problem) => `package-lock.json: ${problem}`);
}
