"""Fits the ranker of `rules` on features that `node scripts/bench.mjs rules-features` wrote.

python fit_ranker.py FEATURES.jsonl... --out ranker.json [--left-out FOLDER]

A file is a set of questions; its kind is its name without a number at the end. LambdaMART (Burges 2010) with every
feature of a document made monotone, so that evidence can only lift. Prints, for each set, recall of the question's own
ranking, of the ranker in three-fold cross-validation, and of one that was fitted without the set's kind; `--left-out`
keeps those as KIND.json.
"""
import argparse
import json
import re
from pathlib import Path

import lightgbm
import numpy

CUTS = (2, 5, 10, 30)
FOLDS = 3
# Of the question as a whole: no document has more of them than another.
WHOLE = ("coverageMax", "namesAsked", "gap")
STANDING = ("standing", "scoreShare")
ROUNDS = 150
LIFT_MIN = 0.6
# The first documents of the question give way only to evidence that adds so much more.
FIRST_RANKS = 2
FIRST_LIFT_MIN = 1.2
PARAMETERS = {
    "objective": "lambdarank",
    "lambdarank_truncation_level": 20,
    "num_leaves": 8,
    "learning_rate": 0.05,
    "min_data_in_leaf": 40,
    "lambda_l2": 5,
    "monotone_constraints_method": "advanced",
    "seed": 1,
    "deterministic": True,
    "num_threads": 1,
    "verbose": -1,
}


def kind_of(path):
    return re.sub(r"-\d+$", "", path.stem)


class Question:
    def __init__(self, line):
        found = json.loads(line)
        self.features = found["features"]
        self.gold = found["gold"]
        documents = found["documents"]
        self.rows = numpy.array([document["row"] for document in documents], dtype=float)
        self.ranks = numpy.array([10**6 if d["rank"] is None else d["rank"] for d in documents])
        self.labels = numpy.array([d["document"] in self.gold for d in documents])

    def recalls(self, scores):
        order = numpy.lexsort((self.ranks, -scores))
        hits = self.labels[order]
        return [hits[:cut].sum() / len(self.gold) for cut in CUTS]


def fit(sets, features):
    """Every set counts alike, however many questions it has."""
    rows, labels, groups, weights = [], [], [], []
    for questions in sets:
        for question in questions:
            if not question.labels.any():
                continue
            rows.append(question.rows)
            labels.append(question.labels.astype(int))
            groups.append(len(question.labels))
            weights.append(numpy.full(len(question.labels), 100 / len(questions)))
    monotone = [0 if name in WHOLE else 1 for name in features]
    data = lightgbm.Dataset(
        numpy.concatenate(rows), numpy.concatenate(labels), group=groups, weight=numpy.concatenate(weights)
    )
    return lightgbm.train({**PARAMETERS, "monotone_constraints": monotone}, data, ROUNDS)


def scores(model, question):
    """As `conclude` does in TypeScript: the standing alone, and what evidence adds beyond LIFT_MIN, behind the first."""
    bare = question.rows.copy()
    evidence = [i for i, name in enumerate(question.features) if name not in WHOLE + STANDING]
    bare[:, evidence] = 0
    alone = model.predict(bare)
    lift = numpy.maximum(0, model.predict(question.rows) - alone - LIFT_MIN)
    first = question.ranks < FIRST_RANKS
    floor = (alone + lift)[first].min(initial=numpy.inf)
    held = ~first & (lift < FIRST_LIFT_MIN)
    return numpy.where(held, numpy.minimum(alone + lift, floor), alone + lift)


def as_data(model, features):
    trees = []
    for tree in model.dump_model()["tree_info"]:
        inner, leaves = {}, {}

        def walk(node):
            if "split_index" in node:
                inner[node["split_index"]] = node
                walk(node["left_child"])
                walk(node["right_child"])
            else:
                leaves[node.get("leaf_index", 0)] = node["leaf_value"]

        def child(node):
            return node["split_index"] if "split_index" in node else -1 - node.get("leaf_index", 0)

        walk(tree["tree_structure"])
        order = [inner[i] for i in range(len(inner))]
        trees.append(
            {
                "feature": [node["split_feature"] for node in order],
                "at": [float(f"{node['threshold']:.7g}") for node in order],
                "left": [child(node["left_child"]) for node in order],
                "right": [child(node["right_child"]) for node in order],
                "value": [float(f"{leaves[i]:.6g}") for i in range(len(leaves))],
            }
        )
    return {"features": list(features), "liftMin": LIFT_MIN, "firstLiftMin": FIRST_LIFT_MIN, "trees": trees}


def write(path, model, features):
    path.write_text(json.dumps(as_data(model, features), separators=(",", ":")) + "\n")


def mean(questions, score):
    return numpy.array([question.recalls(score(question)) for question in questions]).mean(0)


def cross_validated(sets, name, features):
    recalls = []
    for fold in range(FOLDS):
        rest = [[q for i, q in enumerate(questions) if i % FOLDS != fold] for questions in sets.values()]
        model = fit(rest, features)
        held = [q for i, q in enumerate(sets[name]) if i % FOLDS == fold]
        recalls += [q.recalls(scores(model, q)) for q in held]
    return numpy.array(recalls).mean(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--left-out", type=Path)
    arguments = parser.parse_args()
    sets = {path: [Question(line) for line in path.open()] for path in arguments.files}
    features = next(iter(sets.values()))[0].features
    write(arguments.out, fit(list(sets.values()), features), features)
    without = {}
    for kind in {kind_of(path) for path in sets}:
        without[kind] = fit([questions for path, questions in sets.items() if kind_of(path) != kind], features)
        if arguments.left_out:
            arguments.left_out.mkdir(parents=True, exist_ok=True)
            write(arguments.left_out / f"{kind}.json", without[kind], features)
    shown = lambda recalls: " ".join(f"{recall:.3f}" for recall in recalls)
    print(f"recall@{'/'.join(map(str, CUTS))}: one query | cross-validated | fitted without the kind")
    for path, questions in sets.items():
        own = mean(questions, lambda q: -q.ranks.astype(float))
        left = mean(questions, lambda q: scores(without[kind_of(path)], q))
        print(f"{path.stem:16s} {shown(own)} | {shown(cross_validated(sets, path, features))} | {shown(left)}", flush=True)


if __name__ == "__main__":
    main()
