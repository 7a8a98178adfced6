import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Contexts, renderContexts } from "../model/contexts.ts";
import type { Run } from "../model/load.ts";

/** Work between two pauses at most, so that the page answers meanwhile. */
const SLICE_MS = 12;

/** All prompts of a run, rendered in the background; undefined until they are, or `failed` where the record is damaged. */
export function useContexts(run: Run): Contexts | "failed" | undefined {
  const [state, setState] = useState<{ run: Run; contexts: Contexts | "failed" }>();
  useEffect(() => {
    const work = renderContexts(run.record);
    let timer = setTimeout(step);
    function step(): void {
      const until = performance.now() + SLICE_MS;
      try {
        for (let next = work.next(); ; next = work.next()) {
          if (next.done === true) {
            setState({ run, contexts: next.value });
            return;
          }
          if (performance.now() > until) break;
        }
      } catch {
        setState({ run, contexts: "failed" });
        return;
      }
      timer = setTimeout(step);
    }
    return () => clearTimeout(timer);
  }, [run]);
  return state?.run === run ? state.contexts : undefined;
}

/** Whether a media query holds, kept up to date. */
export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const update = (): void => setMatches(list.matches);
    update();
    list.addEventListener("change", update);
    return () => list.removeEventListener("change", update);
  }, [query]);
  return matches;
}

/** Width and height of an element in CSS pixels, kept up to date; 0 before it is there. */
export function useSize<E extends Element>(): readonly [
  RefObject<E | null>,
  { readonly width: number; readonly height: number },
] {
  const ref = useRef<E>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      setSize({ width: element.clientWidth, height: element.clientHeight });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, size];
}
