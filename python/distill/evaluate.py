"""Measures token vectors against the teacher: retrieval on a labelled set, agreement on two kinds of text.

python evaluate.py --model DIR --table FILE.npy --dataset BEIR_DIR --readmes DIR [--device cuda]
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional

import fit
from teacher import Teacher, encode, load_tokenizer

CUTOFFS = (2, 5, 10, 30)
DIMENSIONS = (64, 96, 128, 192, 256, 384)
AGREEMENT_TEXTS, AGREEMENT_NEIGHBOURS = 1_000, 10
README_CHARS_MIN, README_CHARS_MAX, README_TEXTS_MAX = 400, 1_500, 3_000
LONG_PASSAGES = 10
LONG_TOKENS_MAX = (128, 256, 512, 1_024, 100_000)


def load_dataset(folder: Path) -> tuple[list[str], list[str], list[set[int]]]:
    lines = lambda name: [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]
    corpus, queries = lines("corpus.jsonl"), lines("queries.jsonl")
    place = {one["_id"]: index for index, one in enumerate(corpus)}
    gold: dict[str, set[int]] = {one["_id"]: set() for one in queries}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        if fields[0] in gold:
            gold[fields[0]].add(place[fields[-2]])
    texts = [f"{one['title']}\n{one['text']}" for one in corpus]
    return texts, [one["text"] for one in queries], [gold[one["_id"]] for one in queries]


def load_readmes(folder: Path) -> list[str]:
    """Paragraphs of Markdown files, merged until they are as long as a short passage; a seeded sample."""
    found: set[str] = set()
    for path in sorted([*folder.glob("*/README.md"), *folder.glob("@*/*/README.md")]):
        text = ""
        for part in re.split(r"\n\s*\n", path.read_text(encoding="utf-8", errors="replace")):
            text = f"{text} {re.sub(chr(92) + 's+', ' ', part).strip()}"
            if len(text) > README_CHARS_MIN:
                found.add(text.strip()[:README_CHARS_MAX])
                text = ""
    ordered = sorted(found)
    return [ordered[index] for index in np.random.default_rng(1).permutation(len(ordered))[:README_TEXTS_MAX]]


def recall(queries: torch.Tensor, corpus: torch.Tensor, gold: list[set[int]]) -> list[float]:
    best = (queries @ corpus.T).topk(max(CUTOFFS), dim=1).indices.tolist()
    return [float(np.mean([len(one & set(row[:k])) / len(one) for one, row in zip(gold, best)])) for k in CUTOFFS]


def agreement(full: torch.Tensor, ours: torch.Tensor) -> tuple[float, float]:
    """Shared part of the ten nearest neighbours, and correlation of the cosines, over sampled texts."""
    generator = torch.Generator().manual_seed(7)
    sample = torch.randperm(len(full), generator=generator)[:AGREEMENT_TEXTS].to(full.device)
    theirs, mine = full[sample] @ full.T, ours[sample] @ ours.T
    rows = torch.arange(len(sample), device=full.device)
    others = torch.ones_like(theirs, dtype=torch.bool)
    others[rows, sample] = False
    correlation = torch.corrcoef(torch.stack([theirs[others], mine[others]]))[0, 1].item()
    theirs[rows, sample] = mine[rows, sample] = -9
    a, b = theirs.topk(AGREEMENT_NEIGHBOURS).indices, mine.topk(AGREEMENT_NEIGHBOURS).indices
    return (a[:, :, None] == b[:, None, :]).any(2).float().mean().item(), correlation


def rounded(table: torch.Tensor, bits: int, by: str) -> torch.Tensor:
    top = 2 ** (bits - 1) - 1
    if by == "token":
        scale = table.abs().amax(1, keepdim=True).clamp_min(1e-9) / top
        return (table / scale).round() * scale
    length = table.norm(dim=1, keepdim=True).clamp_min(1e-9)
    scale = (table / length).abs().amax(0, keepdim=True).clamp_min(1e-9) / top
    return ((table / length) / scale).round() * scale * length


class Measure:
    def __init__(self, options: argparse.Namespace) -> None:
        self.device = options.device
        self.teacher = Teacher(options.model, options.device)
        tokenizer = load_tokenizer(options.model)
        corpus, queries, self.gold = load_dataset(options.dataset)
        self.ids = {
            "corpus": encode(tokenizer, corpus),
            "queries": encode(tokenizer, queries),
            "readmes": encode(tokenizer, load_readmes(options.readmes)),
        }
        self.full = {name: functional.normalize(self.teacher.texts(ids).float(), dim=1) for name, ids in self.ids.items()}
        self.sequences = {name: fit.Sequences(ids, options.device) for name, ids in self.ids.items()}

    def vectors(self, table: torch.Tensor, name: str) -> torch.Tensor:
        return self.sequences[name].vectors(table, torch.arange(len(self.sequences[name]), device=self.device))

    def row(self, label: str, size: int | None, vectors: dict[str, torch.Tensor]) -> None:
        hits = recall(vectors["queries"], vectors["corpus"], self.gold)
        wiki, wiki_r = agreement(self.full["corpus"], vectors["corpus"])
        code, code_r = agreement(self.full["readmes"], vectors["readmes"])
        cells = [label, "" if size is None else f"{size / 1e6:.1f} MB", *(f"{one:.3f}" for one in hits)]
        print("| " + " | ".join([*cells, f"{wiki:.3f}", f"{wiki_r:.3f}", f"{code:.3f}", f"{code_r:.3f}"]) + " |", flush=True)

    def table_row(self, label: str, size: int | None, table: torch.Tensor) -> None:
        self.row(label, size, {name: self.vectors(table, name) for name in self.ids})

    def long_texts(self, table: torch.Tensor) -> None:
        """Recall of long texts, each of LONG_PASSAGES passages in random order, when only the first tokens count."""
        order = np.random.default_rng(3).permutation(len(self.ids["corpus"]))
        groups = [order[start : start + LONG_PASSAGES] for start in range(0, len(order), LONG_PASSAGES)]
        group_of = {int(passage): index for index, group in enumerate(groups) for passage in group}
        gold = [{group_of[one] for one in passages} for passages in self.gold]
        for cut in LONG_TOKENS_MAX:
            ids = [[token for passage in group for token in self.ids["corpus"][passage]][:cut] for group in groups]
            long = fit.Sequences(ids, self.device)
            vectors = long.vectors(table, torch.arange(len(long), device=self.device))
            print(f"| {cut} | " + " | ".join(f"{one:.3f}" for one in recall(self.vectors(table, "queries"), vectors, gold)) + " |")


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("model", "table", "dataset", "readmes"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    measure = Measure(options)
    table = torch.from_numpy(np.load(options.table).astype(np.float32)).to(options.device)
    print(f"readme texts: {len(measure.ids['readmes'])}")
    measure.row("teacher, 384", None, measure.full)
    tokens = measure.teacher.tokens(len(table)).clone()
    start = fit.start_table(tokens)
    values, directions = torch.linalg.eigh((start.T @ start).double())
    measure.table_row("token passes only, 256, float", None, start @ directions.flip(1)[:, :256].float())
    for dimension in DIMENSIONS:
        cut = table[:, :dimension].contiguous()
        measure.table_row(f"fitted, {dimension}, float", None, cut)
        measure.table_row(f"fitted, {dimension}, int8 by token", len(table) * (dimension + 4), rounded(cut, 8, "token"))
        measure.table_row(f"fitted, {dimension}, int8 by dimension", len(table) * (dimension + 4), rounded(cut, 8, "dimension"))
        measure.table_row(f"fitted, {dimension}, int4 by token", len(table) * (dimension // 2 + 4), rounded(cut, 4, "token"))
    measure.long_texts(rounded(table[:, :192].contiguous(), 8, "token"))


if __name__ == "__main__":
    main()
