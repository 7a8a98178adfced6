import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Run } from "../model/load.ts";
import { type Problem, toProblem } from "../view/problem.tsx";
import { type Api, type CorpusChoice, type PastRun, type Question, TokenNeeded } from "./api.ts";
import { followRun, type Picture } from "./live-record.ts";

const PAST_RUNS_MAX = 20;

/** Where the page stands. */
export type SearchState =
  | { readonly kind: "idle" }
  | { readonly kind: "running"; readonly query: string; readonly picture: Picture }
  | { readonly kind: "done"; readonly run: Run };

/** What can be asked, and what was. */
export interface Offer {
  readonly corpora: readonly CorpusChoice[];
  readonly past: readonly PastRun[];
}

export interface Search {
  readonly state: SearchState;
  /** Undefined until the server told. */
  readonly offer: Offer | undefined;
  readonly problem: Problem | undefined;
  readonly token: "unneeded" | "needed" | "refused";
  ask(question: Question): void;
  /** Ends the run that is under way; what it has so far stays in view. */
  stop(): void;
  open(runId: string): void;
  home(): void;
  useToken(token: string): void;
  dismiss(): void;
}

type Attempt = (work: () => Promise<void>) => Promise<void>;

/** What the page does. A run that is shown stands in the address, so that a reload or a copied address finds it. */
export function useSearch(api: Api): Search {
  const [state, setState] = useState<SearchState>({ kind: "idle" });
  const [offer, setOffer] = useState<Offer>();
  const [problem, setProblem] = useState<Problem>();
  const [token, setToken] = useState<Search["token"]>("unneeded");
  const controller = useRef<AbortController>(null);

  const attempt: Attempt = useCallback(async (work) => {
    try {
      await work();
    } catch (error) {
      if (error instanceof TokenNeeded) setToken((before) => (before === "unneeded" ? "needed" : "refused"));
      else setProblem(toProblem(error));
    }
  }, []);

  const load = useCallback(
    () =>
      attempt(async () => {
        const [corpora, past] = await Promise.all([api.corpora(), api.runs(PAST_RUNS_MAX)]);
        setOffer({ corpora, past });
        setToken("unneeded");
      }),
    [api, attempt],
  );

  const open = useCallback(
    (runId: string) =>
      attempt(async () => {
        setState({ kind: "done", run: await api.run(runId) });
        history.replaceState(null, "", `#run=${encodeURIComponent(runId)}`);
      }),
    [api, attempt],
  );

  useEffect(() => {
    void load();
    const wanted = new URLSearchParams(location.hash.slice(1)).get("run");
    if (wanted !== null && wanted !== "") void open(wanted);
  }, [load, open]);

  const ask = async (question: Question): Promise<void> => {
    const own = new AbortController();
    controller.current = own;
    setProblem(undefined);
    setState({ kind: "running", query: question.query, picture: { run: undefined, writing: "" } });
    await attempt(async () => {
      const run = await followRun(api.search(question, own.signal), (picture) => {
        if (controller.current === own) setState({ kind: "running", query: question.query, picture });
      }).catch((error: unknown) => {
        if (controller.current === own) throw error;
        return undefined;
      });
      if (controller.current !== own || run === undefined) return;
      setState({ kind: "done", run });
      history.replaceState(null, "", `#run=${encodeURIComponent(run.record.header.runId)}`);
    });
    if (controller.current !== own) return;
    controller.current = null;
    setState((now) => (now.kind === "running" ? { kind: "idle" } : now));
    void load();
  };

  const stop = (): void => {
    const own = controller.current;
    controller.current = null;
    own?.abort();
    setState((now) => {
      if (now.kind !== "running") return now;
      return now.picture.run === undefined ? { kind: "idle" } : { kind: "done", run: now.picture.run };
    });
  };

  return {
    ...{ state, offer, problem, token, stop },
    ask: (question) => void ask(question),
    open: (runId) => void open(runId),
    home() {
      stop();
      setState({ kind: "idle" });
      history.replaceState(null, "", location.pathname);
    },
    useToken(given) {
      api.token = given;
      void load();
    },
    dismiss: () => setProblem(undefined),
  };
}
