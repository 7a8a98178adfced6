"""Texts that the token vectors are fitted on: short natural English with a wide vocabulary, under permissive terms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

WORDNET_FILES = ("data.noun", "data.verb", "data.adj", "data.adv")
PARAGRAPH_CHARS_MIN = 30
NEIGHBOUR_GROUPS = 150_000
RANDOM_GROUPS = 150_000
PASSAGES = 100_000


def read_wordnet(folder: Path) -> list[str]:
    """`lemma, lemma: gloss` of every synset, in the order of the database (format: wndb(5WN))."""
    texts = []
    for name in WORDNET_FILES:
        for line in (folder / name).read_text(encoding="latin-1").splitlines():
            if line.startswith("  "):  # the licence at the top of each file
                continue
            head, gloss = line.split(" | ", 1)
            fields = head.split()
            lemmas = [fields[4 + 2 * i] for i in range(int(fields[3], 16))]
            names = ", ".join(re.sub(r"\((a|p|ip)\)$", "", lemma).replace("_", " ") for lemma in lemmas)
            texts.append(f"{names}: {gloss.strip()}")
    return texts


def read_documentation(folder: Path) -> list[list[str]]:
    """Paragraphs of every `*.txt` below a folder, one list a file, files in order of their paths."""
    documents = []
    for path in sorted(folder.rglob("*.txt"), key=lambda one: one.relative_to(folder).as_posix()):
        text = path.read_text(encoding="utf-8", errors="replace")
        paragraphs = [re.sub(r"\s+", " ", part).strip() for part in re.split(r"\n\s*\n", text)]
        documents.append([part for part in paragraphs if len(part) > PARAGRAPH_CHARS_MIN])
    return [document for document in documents if document]


def _join(parts: list[list[int]]) -> list[int]:
    return [token for part in parts for token in part]


def sequences(wordnet: list[list[int]], documents: list[list[list[int]]], tokens_max: int, seed: int) -> Iterator[list[int]]:
    """Every text once, then longer ones made of them, so that lengths reach from a phrase to a full window."""
    random = np.random.default_rng(seed)
    yield from (text[:tokens_max] for text in wordnet)
    yield from (text[:tokens_max] for document in documents for text in document)
    for _ in range(NEIGHBOUR_GROUPS):
        start, count = random.integers(0, len(wordnet) - 6), random.integers(2, 7)
        yield _join(wordnet[start : start + count])[:tokens_max]
    for _ in range(RANDOM_GROUPS):
        chosen = random.integers(0, len(wordnet), random.integers(2, 5))
        yield _join([wordnet[index] for index in chosen])[:tokens_max]
    for _ in range(PASSAGES):
        document = documents[random.integers(0, len(documents))]
        start, count = random.integers(0, len(document)), random.integers(2, 6)
        yield _join(document[start : start + count])[:tokens_max]
