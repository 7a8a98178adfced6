"""Writes golden.jsonl: random rankings with the values that trec_eval gives them, for src/eval/trec-golden.test.ts.

    python -m venv /tmp/venv && /tmp/venv/bin/pip install -r requirements.txt
    /tmp/venv/bin/python make_golden.py            # writes golden.jsonl beside this file

Conventions of trec_eval that the test has to follow, each of them exercised here:

* It orders a run by score, highest first, and EQUAL SCORES BY DOCUMENT ID, LAST FIRST (descending, by byte). Ranks
  given by the caller do not exist. Winnow's lists are ranked already (its own ties go by id ascending, before that),
  so its measures never meet a tie; the test orders by trec_eval's rule before it calls them.
* It keeps scores in single precision, so that scores closer than that are ties.
* Grades of zero and below are "judged, not relevant"; documents without a grade count the same.
* nDCG has linear gain and discount log2(rank + 1); the ideal order is that of all graded documents.
* A question without any relevant document scores zero there. Winnow leaves such questions out of an evaluation (its
  measures say 1, nothing is missing), so none are written.
"""

import argparse
import json
import random
from pathlib import Path

import pytrec_eval

CUT_OFFS = (1, 2, 5, 10, 30)
RANKINGS = 300
SEED = 20_251


def random_ranking(rng: random.Random) -> tuple[dict[str, int], dict[str, float]]:
    pool = [f"d{n}" for n in rng.sample(range(1, 1_000), 60)]
    relevant = rng.sample(pool, rng.choice((1, 2, 3, 4, 8, 20)))
    grade_max = rng.choice((1, 3, 9))
    qrels = {document: rng.randint(1, grade_max) for document in relevant}
    for document in rng.sample(pool, rng.randint(0, 6)):
        qrels.setdefault(document, rng.choice((0, 0, -1)))
    listed = rng.sample(pool, rng.choice((1, 2, 3, 9, 10, 11, 30, 35)))
    # A share of relevant documents is not in the pool that the run draws from.
    if rng.random() < 0.3:
        qrels[f"missing{rng.randint(0, 9)}"] = rng.randint(1, grade_max)
    return qrels, dict(zip(listed, scores(rng, len(listed))))


def scores(rng: random.Random, count: int) -> list[float]:
    kind = rng.choice(("distinct", "few values", "all equal", "closer than single precision", "negative"))
    if kind == "few values":
        return [float(rng.randint(0, 3)) for _ in range(count)]
    if kind == "all equal":
        return [1.5] * count
    if kind == "closer than single precision":
        return [1.0 + rng.randint(0, 3) * 1e-9 for _ in range(count)]
    if kind == "negative":
        return [-rng.random() for _ in range(count)]
    return [rng.random() * 100 for _ in range(count)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("golden.jsonl"))
    out = parser.parse_args().out
    rng = random.Random(SEED)
    cases = {f"q{n}": random_ranking(rng) for n in range(RANKINGS)}
    cuts = ",".join(str(k) for k in CUT_OFFS)
    measures = {f"recall.{cuts}", f"ndcg_cut.{cuts}", "set_recall", "set_P", "set_F"}
    evaluator = pytrec_eval.RelevanceEvaluator({q: qrels for q, (qrels, _) in cases.items()}, measures)
    values = evaluator.evaluate({q: run for q, (_, run) in cases.items()})
    with out.open("w", encoding="utf-8", newline="\n") as file:
        for query, (qrels, run) in cases.items():
            line = {"query": query, "qrels": qrels, "run": run, "values": dict(sorted(values[query].items()))}
            file.write(json.dumps(line, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
