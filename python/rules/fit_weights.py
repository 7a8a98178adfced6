"""Fits the weights of the `rules` policy and the calibration of its cut.

    node scripts/bench.mjs rules-features DATASET features.jsonl
    python fit_weights.py weights DATASET features.jsonl [DATASET features.jsonl ...] [--l2 0.01] [--features a,b,c] [--by-document]
    python fit_weights.py calibration DATASET features.jsonl [DATASET features.jsonl ...]

`weights` fits on the first dataset (softmax over the chunks of a question, L2), prints recall at 2, 5, 10 and 30 there,
in five-fold cross-validation there, and on the other datasets. With `--by-document` the softmax is over documents, each by
its best chunk: of a long document one chunk answers, and the others should not have to look like it. `calibration` fits the log-odds that a document is gold on
its score less the best score of its question, and prints for each dataset how many gold documents that predicts.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

CUT_OFFS = (2, 5, 10, 30)
FOLDS = 5
# How closely the soft maximum over the chunks of a document follows the best one.
SHARPNESS = 4.0


def read_gold(dataset: Path) -> dict[str, set[str]]:
    """Gold documents by the text of the question."""
    texts = {}
    for line in (dataset / "queries.jsonl").read_text("utf8").splitlines():
        row = json.loads(line)
        texts[row["_id"]] = row["text"]
    gold: dict[str, set[str]] = {}
    for line in (dataset / "qrels.tsv").read_text("utf8").splitlines():
        cells = line.split("\t")
        if not cells[-1].lstrip("-").isdigit() or int(cells[-1]) <= 0:
            continue
        query, document = cells[0], cells[-2]
        if query in texts:
            gold.setdefault(texts[query], set()).add(document)
    return gold


def read_questions(dataset: str, features: str, only=None):
    """A list of (feature matrix, documents, gold documents, scores) and the names of the features."""
    gold = read_gold(Path(dataset))
    questions, names = [], None
    for line in Path(features).read_text("utf8").splitlines():
        row = json.loads(line)
        if row["query"] not in gold or not row["items"]:
            continue
        names = names or only or list(row["items"][0]["features"])
        matrix = np.array([[item["features"][name] for name in names] for item in row["items"]])
        documents = [item["document"] for item in row["items"]]
        scores = np.array([item["score"] for item in row["items"]])
        questions.append((matrix, documents, gold[row["query"]], scores))
    return questions, names


def fit_weights(questions, l2) -> np.ndarray:
    labelled = []
    for matrix, documents, gold, _ in questions:
        label = np.array([document in gold for document in documents], float)
        if label.sum() > 0:
            labelled.append((matrix, label / label.sum()))

    def loss(weights):
        total, gradient = 0.0, np.zeros_like(weights)
        for matrix, label in labelled:
            logits = matrix @ weights
            logits -= logits.max()
            share = np.exp(logits)
            share /= share.sum()
            total -= label @ np.log(share + 1e-300)
            gradient -= matrix.T @ (label - share)
        count = len(labelled)
        return total / count + l2 * weights @ weights / 2, gradient / count + l2 * weights

    start = np.zeros(labelled[0][0].shape[1])
    return minimize(loss, start, jac=True, method="L-BFGS-B").x


def fit_by_document(questions, l2) -> np.ndarray:
    labelled = []
    for matrix, documents, gold, _ in questions:
        chunks: dict[str, list[int]] = {}
        for i, document in enumerate(documents):
            chunks.setdefault(document, []).append(i)
        label = np.array([document in gold for document in chunks], float)
        if label.sum() > 0:
            labelled.append(([matrix[rows] for rows in chunks.values()], label / label.sum()))

    def loss(weights):
        total, gradient = 0.0, np.zeros_like(weights)
        for documents, label in labelled:
            logits, slopes = np.empty(len(documents)), np.empty((len(documents), len(weights)))
            for i, rows in enumerate(documents):
                scaled = SHARPNESS * (rows @ weights)
                share = np.exp(scaled - scaled.max())
                logits[i] = (scaled.max() + np.log(share.sum())) / SHARPNESS
                slopes[i] = share @ rows / share.sum()
            share = np.exp(logits - logits.max())
            share /= share.sum()
            total -= label @ np.log(share + 1e-300)
            gradient -= slopes.T @ (label - share)
        count = len(labelled)
        return total / count + l2 * weights @ weights / 2, gradient / count + l2 * weights

    start = np.zeros(labelled[0][0][0].shape[1])
    return minimize(loss, start, jac=True, method="L-BFGS-B").x


def ranking(documents, scores) -> list[tuple[str, float]]:
    best: dict[str, float] = {}
    for document, score in zip(documents, scores):
        best[document] = max(best.get(document, -np.inf), score)
    return sorted(best.items(), key=lambda entry: -entry[1])


def recall(questions, weights) -> np.ndarray:
    rows = []
    for matrix, documents, gold, _ in questions:
        order = [document for document, _ in ranking(documents, matrix @ weights)]
        rows.append([len(set(order[:k]) & gold) / len(gold) for k in CUT_OFFS])
    return np.mean(rows, 0)


def cross_validated(questions, l2, fit) -> np.ndarray:
    order = np.random.RandomState(1).permutation(len(questions))
    total = np.zeros(len(CUT_OFFS))
    for fold in range(FOLDS):
        held = set(order[fold::FOLDS])
        weights = fit([each for i, each in enumerate(questions) if i not in held], l2)
        part = [questions[i] for i in held]
        total += recall(part, weights) * len(part)
    return total / len(questions)


def print_weights(pairs, l2, only, fit) -> None:
    loaded = [(dataset, *read_questions(dataset, features, only)) for dataset, features in pairs]
    _, first, names = loaded[0]
    weights = fit(first, l2)
    for name, weight in zip(names, weights):
        print(f"{name:16} {weight:6.2f}")
    print("recall at", *CUT_OFFS)
    print("cross-validated", np.round(cross_validated(first, l2, fit), 3))
    for dataset, questions, _ in loaded:
        print(dataset, np.round(recall(questions, weights), 3))


def print_calibration(pairs) -> None:
    sets = []
    for dataset, features in pairs:
        lists = []
        for _, documents, gold, scores in read_questions(dataset, features)[0]:
            order = ranking(documents, scores)
            gaps = np.array([score for _, score in order]) - order[0][1]
            lists.append((gaps, np.array([document in gold for document, _ in order], float)))
        sets.append((dataset, lists))
    gaps = np.concatenate([each for _, lists in sets for each, _ in lists])
    labels = np.concatenate([each for _, lists in sets for _, each in lists])

    def loss(line):
        logits = line[0] + line[1] * gaps
        return np.logaddexp(0, logits).sum() - labels @ logits

    at_best, per_score = minimize(loss, np.zeros(2), method="BFGS").x
    print(f"atBest {at_best:.2f}  perScore {per_score:.2f}")
    for dataset, lists in sets:
        chance = [1 / (1 + np.exp(-(at_best + per_score * each))) for each, _ in lists]
        predicted, found = np.mean([each.sum() for each in chance]), np.mean([each.sum() for _, each in lists])
        print(f"{dataset}: gold documents in view {found:.2f} a question, predicted {predicted:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["weights", "calibration"])
    parser.add_argument("files", nargs="+", help="a dataset and its features, in turn")
    parser.add_argument("--l2", type=float, default=0.01)
    parser.add_argument("--features", help="names of the features to use, with commas; all by default")
    parser.add_argument("--by-document", action="store_true", help="judge a document by its best chunk")
    given = parser.parse_args()
    pairs = list(zip(given.files[::2], given.files[1::2]))
    if given.what == "weights":
        fit = fit_by_document if given.by_document else fit_weights
        print_weights(pairs, given.l2, given.features.split(",") if given.features else None, fit)
    else:
        print_calibration(pairs)
