"""Makes the static embedder's file from a sentence transformer. See README.md.

python distill.py --model DIR --wordnet DIR --documentation DIR --out FILE [--dimension N] [--device cuda]
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import torch

import artefact
import fit
import training_texts
from character_classes import character_runs
from teacher import TOKENS_MAX, UNKNOWN, Teacher, encode, load_tokenizer

# Part of the embedder's name: raise it whenever the vectors change, so that a corpus notices.
REVISION = 1

ABOUT = {
    "source": "sentence-transformers/all-MiniLM-L6-v2",
    "licence": "Apache-2.0",
    "attribution": (
        "Token vectors distilled from sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0) with texts of WordNet 3.0 "
        "(Copyright 2006 by Princeton University) and of the Python documentation (Copyright Python Software Foundation). "
        "Vocabulary of bert-base-uncased (Apache-2.0)."
    ),
    "unknownToken": UNKNOWN,
    "wordCharactersMax": 100,
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--wordnet", type=Path, required=True, help="folder with data.noun, data.verb, data.adj, data.adv")
    parser.add_argument("--documentation", type=Path, required=True, help="folder of text files")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dimension", type=int, default=192)
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--save-table", type=Path, help="also save the projected float vectors, all dimensions, for evaluate.py")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    torch.manual_seed(options.seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    tokenizer = load_tokenizer(options.model)
    vocabulary = [tokenizer.id_to_token(token) for token in range(tokenizer.get_vocab_size())]
    wordnet = encode(tokenizer, training_texts.read_wordnet(options.wordnet))
    documents = [encode(tokenizer, document) for document in training_texts.read_documentation(options.documentation)]
    ids = list(training_texts.sequences(wordnet, documents, TOKENS_MAX, options.seed))
    counts = torch.zeros(len(vocabulary), dtype=torch.float64)
    seen = np.concatenate([np.asarray(text) for text in wordnet + [text for one in documents for text in one]]).astype(np.int64)
    counts += torch.from_numpy(np.bincount(seen, minlength=len(vocabulary)))
    print(f"texts: {len(ids)}, tokens: {sum(map(len, ids))}, tokens of the vocabulary never seen: {int((counts == 0).sum())}", flush=True)

    teacher = Teacher(options.model, options.device)
    token_vectors = teacher.tokens(len(vocabulary)).clone()
    targets = teacher.texts(ids)
    print("teacher: done", flush=True)
    sequences = fit.Sequences(ids, options.device)
    table = fit.fit(sequences, targets, fit.start_table(token_vectors), options.seed)
    table = fit.shrink_rare(table, token_vectors, counts.to(options.device))
    table = (table @ fit.principal_directions(table, sequences)).cpu().numpy()
    # Special tokens and the vocabulary's unused places never come out of a text.
    table[[token for token, word in enumerate(vocabulary) if word.startswith("[") and len(word) > 1]] = 0
    if options.save_table is not None:
        np.save(options.save_table, table.astype(np.float16))
    scales, vectors = artefact.quantize(table[:, : options.dimension])
    about = {"name": f"static:minilm-{options.dimension}-{REVISION}", **ABOUT}
    artefact.write(options.out, about, character_runs(), scales, vectors, vocabulary)
    data = options.out.read_bytes()
    print(f"{options.out.name}: {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
