import { NO_DOCUMENT } from "../agent/context/wording.ts";
import type { Decision, Policy, View } from "../agent/policy.ts";
import type { Library } from "../agent/tools/retrieve.ts";
import type { Notice } from "../core/types.ts";
import { findAcross } from "../retrieval/find/find-across.ts";
import { type Absence, type AbsenceQuery, judgeAbsence, NOTHING_TOLD } from "./absence.ts";

/** Hits by which a question is judged. */
const JUDGED_CHUNKS = 30;
/** The policy that cannot judge for itself whether what it has read answers the question. */
const UNJUDGING = "rules";

const NO_EVIDENCE: Notice = {
  code: "no_evidence",
  message: "Nothing matches the question well enough to be called evidence. `winnow find` lists what is nearest.",
};

/**
 * What the corpora of a run lack of its question, found out once, however many rollouts ask. Resolves to nothing where the
 * corpora cannot be searched: the run will say so itself.
 */
export function absenceOf(
  library: Library,
  { text, order, signal }: Pick<AbsenceQuery, "text" | "order" | "signal">,
): () => Promise<Absence> {
  let judged: Promise<Absence> | undefined;
  const judge = async (): Promise<Absence> => {
    const { corpora, mode, fusion, where, excludeDocuments } = library;
    const scope = { where, excludeDocuments, ...(signal === undefined ? {} : { signal }) };
    const query = { text, mode, chunksMax: JUDGED_CHUNKS, ...scope, ...(fusion === undefined ? {} : { fusion }) };
    try {
      const { hits } = await findAcross(corpora, query, (corpus) => corpus.find(query));
      return await judgeAbsence(corpora, { text, mode, hits, order, ...scope });
    } catch {
      return NOTHING_TOLD;
    }
  };
  return () => {
    judged ??= judge();
    return judged;
  };
}

/**
 * The same policy, with what the corpora lack of the question on record before its first decision. `rules`, which ranks
 * whatever it finds, concludes without a document where nothing speaks for an answer; a model is left to judge.
 */
export function withAbsence(policy: Policy, absence: () => Promise<Absence>): Policy {
  return {
    name: policy.name,
    ...(policy.model === undefined ? {} : { model: policy.model }),
    ...(policy.ignoresSeed === undefined ? {} : { ignoresSeed: policy.ignoresSeed }),
    ...(policy.startsFromRanking && { startsFromRanking: true }),
    async decide(view, options) {
      const { notices, isAbsent } = await absence();
      const abstains = isAbsent && policy.name === UNJUDGING;
      const words = notices.filter(({ code }) => code === "words_absent");
      const told = abstains ? [...words, NO_EVIDENCE] : notices;
      for (const { code, message } of told) options.onNotice?.(code, message);
      return abstains ? noDocument(view) : policy.decide(view, options);
    },
  };
}

function noDocument({ tools }: View): Decision {
  if (tools.some(({ name }) => name === "finish")) return { calls: [{ tool: "finish", arguments: { documents: [] } }] };
  return { text: NO_DOCUMENT, calls: [] };
}
