/** A limit on how long work may stand still. */
export interface IdleLimit {
  /** Aborts after `ms` without progress, or when the outer signal does. */
  readonly signal: AbortSignal;
  /** True when it was the standstill that aborted. */
  readonly isOver: boolean;
  /** To be called whenever something has moved. */
  progress(): void;
  /** Stops the clock; to be called once the work has ended, however it did. */
  end(): void;
}

/** A transfer may take as long as it needs, but never stand still for longer than `ms`. */
export function idleLimit(ms: number, outer: AbortSignal | undefined): IdleLimit {
  const abort = new AbortController();
  let isOver = false;
  const onOuter = (): void => abort.abort(outer?.reason);
  const timer = setTimeout(() => {
    isOver = !abort.signal.aborted;
    abort.abort(new DOMException("The time is over.", "TimeoutError"));
  }, ms);
  if (outer?.aborted === true) onOuter();
  else outer?.addEventListener("abort", onOuter, { once: true });
  return {
    signal: abort.signal,
    get isOver() {
      return isOver;
    },
    progress: () => {
      timer.refresh();
    },
    end() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", onOuter);
    },
  };
}
