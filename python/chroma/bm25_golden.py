"""Writes bm25-golden.json: texts with the sparse vectors that Chroma's own BM25 embedding function gives them.

    python bm25_golden.py OUT_FILE

Numbers are written with all their digits.
"""

import argparse
import json
import random
from pathlib import Path

from chromadb.utils.embedding_functions.chroma_bm25_embedding_function import ChromaBm25EmbeddingFunction
from minilm_golden import TEXTS

SEED = 20_260_101
MADE_TEXTS = 80
MADE_WORDS = 24
# Stems and endings that English words are made of: together they meet every rule of the stemmer.
STEMS = (
    "adopt agree arriv bed bl by cap caress commun contr cri cry depend die dis eed elect ember fail fall fish gap "
    "gener geolog hap happi he hop horr howe ing inter inning intern kni know lay li ly luxuri mess motor node nat "
    "of organ oper our owe past plaster prob proceed ration relat sens ski sky sing skies succeed suppl tan tie "
    "trou univers use val vic yell yield young zeb"
).split()
ENDINGS = (
    "- s es ies ied ed eed eedly edly ing ingly ly ally ational ation ations ator ative alize alise icate iciti ical "
    "ful fulness ness ousness ousli iveness iviti biliti bli ogi ogist logi alism aliti izer ization entli enci anci "
    "abli abiliti al ance ence er ic able ible ant ement ment ent ism ate iti ous ive ize sion tion e ll lls yes y "
    "'s s's 's' ss us sses"
).split()
OTHERS = "The quick, brown fox's don't over_the-lazy 3.14 v1.2.3-rc.4 Straße café ΣΑΣ 漢字 dog! İz Ёлки हिन्दी".split()
OPTIONS = (
    {"k": 0.9},
    {"b": 0.0, "avg_doc_length": 12.5},
    {"token_max_length": 6},
    {"stopwords": ["Index", "word", "漢字"]},
    {"stopwords": [], "k": 2.0, "b": 1.0},
)


def made_texts() -> list[str]:
    chosen = random.Random(SEED)
    texts = []
    for _ in range(MADE_TEXTS):
        words = []
        for _ in range(MADE_WORDS):
            word = chosen.choice(STEMS) + chosen.choice(ENDINGS).removeprefix("-")
            words.append(chosen.choice([word, word, word, word.capitalize(), word.upper(), chosen.choice(OTHERS)]))
        texts.append(" ".join(words))
    return texts


def case_of(text: str, options: dict[str, object]) -> str:
    (vector,) = ChromaBm25EmbeddingFunction(**options)([text])
    made = {"text": text, **({"options": options} if options else {})}
    return json.dumps({**made, "indices": vector.indices, "values": vector.values}, ensure_ascii=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    texts = TEXTS + made_texts()
    cases = [case_of(text, {}) for text in texts]
    cases += [case_of(text, options) for options in OPTIONS for text in texts[3::12]]
    given.out.write_text('{ "cases": [\n' + ",\n".join(cases) + "\n] }\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
