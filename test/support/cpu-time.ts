/**
 * Milliseconds of processor time that this process spends in `work`, the least of `repeats` runs. Other jobs on the
 * machine lengthen the time on the clock but hardly this, so that tests can tell linear work from quadratic.
 */
export function cpuMilliseconds(work: () => void, repeats = 3): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < repeats; i++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1_000);
  }
  return least;
}
