"""What the teacher's tokenizer does with each code point, asked of the tokenizer itself.

Its Unicode tables are older than any JavaScript engine's, and engines differ: so the answer travels with the vectors.
"""

from __future__ import annotations

import numpy as np
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

LETTER, REMOVED, SPACE, PUNCTUATION, IDEOGRAPH, MARK = range(6)
CODE_POINTS = 0x110000
SURROGATES = range(0xD800, 0xE000)


def _steps(**chosen: bool) -> BertNormalizer:
    none = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    return BertNormalizer(**{**none, **chosen})


def character_runs() -> np.ndarray:
    clean, spaced, stripped = _steps(clean_text=True), _steps(handle_chinese_chars=True), _steps(strip_accents=True)
    splitter = BertPreTokenizer()

    def class_of(code: int) -> int:
        # A lone surrogate becomes U+FFFD on its way to UTF-8, which is removed.
        if code in SURROGATES:
            return REMOVED
        character = chr(code)
        cleaned = clean.normalize_str(character)
        if cleaned == "":
            return REMOVED
        if cleaned == " ":
            return SPACE
        if spaced.normalize_str(character) != character:
            return IDEOGRAPH
        if stripped.normalize_str(f"a{character}") == "a":
            return MARK
        parts = len(splitter.pre_tokenize_str(f"a{character}b"))
        return {1: LETTER, 2: SPACE, 3: PUNCTUATION}[parts]

    runs: list[int] = []
    last = -1
    for code in range(CODE_POINTS):
        found = class_of(code)
        if found != last:
            runs.append(code << 3 | found)
            last = found
    return np.array(runs, np.uint32)
