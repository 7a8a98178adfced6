"""Texts with the ids and vectors that Python gives them; the TypeScript side must give the same.

python check_vectors.py --model DIR --artefact FILE --out FILE       writes the golden file
python check_vectors.py --model DIR --artefact FILE --check FILE     fails when the golden file differs
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from pathlib import Path

import numpy as np

import artefact
from teacher import encode, load_tokenizer

SEED = 20260101
TOLERANCE = 1e-6

WRITTEN = [
    "",
    " ",
    "\n\t\r ",
    "Hello, World!",
    "Who wrote the novel that the film was based on?",
    "don't stop-me now... (really?) [yes] {no} <maybe>",
    "snake_case camelCase kebab-case SCREAMING_CASE v1.2.3-rc.4",
    "https://example.org/a/b?c=d&e=f#g user@example.org /usr/bin:~/.cache",
    "const x = await fetch(url, { signal }); // 3 !== '3'",
    "[CLS] [SEP] [MASK] [PAD] [UNK] [unused5] ##ing ## # [cls]",
    "naïve café résumé Ångström ÀÉÎÕÜ ñandú Łódź Øresund Straße ẞ ﬁn ﬀ",
    "e\u0301 versus \u00e9; a\u030a\u0301; \u0301 alone; \u1ec7; \ufb2c; \u0344; \u1fef; \u037e; \u2260 \u226e",
    "İstanbul I\u0307 ı DŽ ǅ ΌΔΟΣ Σίσυφος ΣΑΣ",
    "Съешь ещё этих мягких французских булок, Ёлка",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία",
    "שָׁלוֹם עוֹלָם مَرْحَبًا بالعالم",
    "हिन्दी में लिखा गया पाठ தமிழ் ಕನ್ನಡ ไทยภาษา ລາວ မြန်မာ",
    "中文维基百科是一个自由的百科全书。日本語のテキスト、カタカナ ひらがな ガギグ 한국어 텍스트 각",
    "A漢字B mixed混ざるtext 東京2020 \uf900\ufa0e\U00020000\U0002f800 〇々〆",
    "emoji 👍 🎉🎉 👩‍👩‍👧‍👦 ❤️ ✌🏽 🇨🇭 © ® ™ ℃ № ½ ² Ⅷ ①",
    "\u200bzero\u200bwidth\u200d \ufefftext\u00ad soft\u00adhyphen \u2060 \u200e\u202eright",
    "control \u0000\u0001\u0007\u000b\u000c\u001b[31mred\u001b[0m \u007f \u0085 \u009f end",
    "spaces:\u00a0\u1680\u2000\u2003\u2009\u2028\u2029\u202f\u205f\u3000end",
    "\ufffd replacement \ue000 private \U000f0000 \U0010ffff \uffff \ufdd0",
    "quotes “double” ‘single’ «guillemets» — en–dash … • · ¶ § ¿qué? ¡sí! ‽ ⸘",
    "math ∑∏∫ √2 ≈ 1.414 ± 0.001 × 10⁻³ α→β ∀x∈ℝ x≤y $100 €50 £20 ¥3 ₿1 ^ ` ~ | + = < >",
    "new marks \u07fd \u0898 \u1ac0 \U00010efd; new letters \ua7c0 \U0001df00; new signs \u2e52 \u2e5d \U0001fae8",
    "a" * 99,
    "a" * 100,
    "a" * 101,
    "é" * 100 + " " + "é" * 101,
    "e\u0301" * 100 + " " + "e\u0301" * 101,
    "한" * 30 + " " + "한" * 40,
    "x" * 5_000 + " word " + "y" * 5_000,
    "pneumonoultramicroscopicsilicovolcanoconiosis antidisestablishmentarianism supercalifragilisticexpialidocious",
    "1234567890 3.14159 1,000,000 0xDEADBEEF 2026-11-22T19:50:00Z 192.168.0.1",
    "qwxzvbnmkjhgfd zzzzzzzzq ꙮ ᚠᚢᚦ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ｆｕｌｌｗｉｄｔｈ",
    "word\u0000less\u200bglue \u0301\u0302 leading marks",
]
BLOCKS = [
    (0x20, 0x7F), (0xA0, 0x250), (0x300, 0x400), (0x400, 0x530), (0x590, 0x780), (0x7C0, 0x900), (0x900, 0xE00), (0xE00, 0x1100),
    (0x1100, 0x1200), (0x1200, 0x1800), (0x1AB0, 0x1C00), (0x1E00, 0x2000), (0x2000, 0x2100), (0x2100, 0x2800), (0x2E00, 0x3100),
    (0x3100, 0x3400), (0x3400, 0x3440), (0x4E00, 0x9FFF), (0xA000, 0xAC00), (0xAC00, 0xD7A4), (0xF900, 0xFB00), (0xFB00, 0xFFFF),
    (0x10000, 0x11000), (0x11000, 0x12000), (0x1D000, 0x1D800), (0x1F000, 0x1FB00), (0x20000, 0x20100), (0x2F800, 0x2FA20), (0xE0000, 0xE01F0),
]  # fmt: skip


def texts(vocabulary: list[str]) -> list[str]:
    """The written ones, then seeded: words of the vocabulary, glued pieces, characters of each block, all mixed."""
    random = np.random.default_rng(SEED)
    pick = lambda options: options[random.integers(0, len(options))]
    words = [word for word in vocabulary if not word.startswith(("##", "["))]
    pieces = [word[2:] for word in vocabulary if word.startswith("##") and len(word) > 2]
    found = list(WRITTEN)
    for _ in range(120):
        found.append(" ".join(pick(words) for _ in range(random.integers(1, 40))))
    for _ in range(60):
        glued = (pick(words) + "".join(pick(pieces) for _ in range(random.integers(0, 5))) for _ in range(8))
        found.append(" ".join(word.title() if random.random() < 0.3 else word for word in glued))
    for low, high in BLOCKS * 4:
        found.append("".join(chr(code) for code in random.integers(low, high, 40) if not 0xD800 <= code < 0xE000))
    for _ in range(80):
        parts = []
        for _ in range(random.integers(2, 12)):
            low, high = pick(BLOCKS)
            characters = "".join(chr(code) for code in random.integers(low, high, random.integers(1, 6)))
            parts.append(pick([pick(words), pick(pieces), characters, pick([" ", "\n", "-", "'", "."])]))
        found.append(pick(["", " "]).join(parts))
    return found


def golden(options: argparse.Namespace) -> dict:
    shipped = artefact.read(options.artefact)
    tokenizer = load_tokenizer(options.model)
    cases = texts(shipped.vocabulary)
    ids = encode(tokenizer, cases)
    vectors = shipped.embed(ids).astype("<f4")
    return {
        "embedder": shipped.header["name"],
        "cases": [
            {"text": text, "ids": tokens, "vector": base64.b64encode(vector.tobytes()).decode()}
            for text, tokens, vector in zip(cases, ids, vectors)
        ],
    }


def difference(made: dict, stored: dict) -> str | None:
    if made["embedder"] != stored["embedder"] or len(made["cases"]) != len(stored["cases"]):
        return "made for another embedder or another list of texts"
    floats = lambda case: np.frombuffer(base64.b64decode(case["vector"]), "<f4")
    for index, (one, other) in enumerate(zip(made["cases"], stored["cases"])):
        if one["text"] != other["text"] or one["ids"] != other["ids"]:
            return f"case {index}: other text or ids"
        if np.abs(floats(one) - floats(other)).max() > TOLERANCE:
            return f"case {index}: other vector"
    return None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--artefact", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--check", type=Path)
    options = parser.parse_args()
    made = golden(options)
    if options.out is not None:
        lines = ",\n".join(json.dumps(case) for case in made["cases"])
        options.out.write_text(f'{{"embedder": {json.dumps(made["embedder"])}, "cases": [\n{lines}\n]}}\n', encoding="utf-8")
    if options.check is not None:
        wrong = difference(made, json.loads(options.check.read_text(encoding="utf-8")))
        if wrong is not None:
            sys.exit(f"golden file differs, {wrong}")
    print(f"golden: {len(made['cases'])} cases of {made['embedder']}")


if __name__ == "__main__":
    main()
