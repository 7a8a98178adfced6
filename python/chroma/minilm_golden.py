"""Writes golden.json: texts with the ids and vectors that Chroma's own default embedding function gives them.

    python minilm_golden.py FOLDER OUT_FILE           # FOLDER: as minilm_onnx.py writes it, or Chroma's cache

A vector is base64 of little-endian 32-bit floats, all its digits kept.
"""

import argparse
import base64
import json
import sys
from pathlib import Path

import numpy as np
from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

TEXTS = [
    "",
    " ",
    "\n\t\r\n",
    "index",
    "Index",
    "What did we decide about the index?",
    "why not return an error when the search was cut",
    "When did we ship the changelog page, and what shipped in May?",
    "Where did we put the spec for the loading mechanism?",
    "has this errored before, how did we fix it",
    "The committee met on Tuesday. It adjourned without a vote, and the minutes say so.",
    "don't stop-me now... (really?) [yes] {no} <maybe>",
    "[CLS] in a text, and [SEP] too; [MASK][PAD]",
    "[UNK] [cls] [Sep] [ SEP ] x[SEP]y [[SEP]] ##ing ## #",
    "snake_case camelCase kebab-case SCREAMING_CASE v1.2.3-rc.4",
    "https://example.org/a/b?c=d&e=f#g user@example.org /usr/bin:~/.cache",
    "const x = await fetch(url, { signal }); // 3 !== '3'",
    "import { readFile } from 'node:fs/promises';\n\nexport async function main() {\n  return 0;\n}\n",
    "TypeError: Cannot read properties of undefined (reading 'length')\n    at run (file.ts:12:7)",
    "SELECT id, title FROM documents WHERE kind = 'spec' ORDER BY modified DESC LIMIT 5;",
    "| key | value |\n|---|---|\n| a | 1 |\n| b | 2 |",
    "# Heading\n\n- one\n- two\n\n> quoted *text* with `code` and [a link](https://example.org)",
    "---\ntitle: A note\ntags: [one, two]\ndate: 2026-05-04\n---\n",
    "naïve café résumé Ångström ÀÉÎÕÜ ñandú Łódź Øresund Straße ẞ ﬁn ﬀ",
    "e\u0301 versus \u00e9; a\u030a\u0301; \u0301 alone; \u1ec7; \ufb2c; \u0344; \u2260",
    "İstanbul I\u0307 ı Ǆ ǅ ΌΔΟΣ Σίσυφος ΣΑΣ",
    "Съешь ещё этих мягких французских булок, Ёлка",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία",
    "שָׁלוֹם עוֹלָם مَرْحَبًا بالعالم",
    "हिन्दी में लिखा गया पाठ தமிழ் ไทยภาษา မြန်မာ",
    "中文维基百科是一个自由的百科全书。",
    "日本語のテキスト、カタカナ ひらがな ガギグ",
    "한국어 텍스트 각",
    "A漢字B mixed混ざるtext 東京2020 \uf900 \U00020000 〇々〆",
    "emoji 👍 🎉🎉 👩‍👩‍👧‍👦 ❤️ ✌🏽 🇨🇭 © ® ™ ℃ № ½ ² Ⅷ ①",
    "👍",
    "🎉🎉🎉🎉🎉🎉🎉🎉",
    "\u200bzero\u200bwidth\u200d \ufefftext\u00ad soft\u00adhyphen \u2060 \u200e\u202eright",
    "control \u0000\u0001\u0007\u000b\u000c\u001b[31mred\u001b[0m \u007f \u0085 \u009f end",
    "\u0000\u0001\u0002",
    "spaces:\u00a0\u1680\u2000\u2003\u2028\u2029\u202f\u205f\u3000end",
    "\ufffd replacement \ue000 private \U000f0000 \uffff",
    "quotes “double” ‘single’ «guillemets» — en–dash … • · ¶ § ¿qué? ¡sí!",
    "math ∑∏∫ √2 ≈ 1.414 ± 0.001 × 10⁻³ α→β ∀x∈ℝ x≤y $100 €50 £20 ¥3 ^ ` ~ | + = < >",
    "a" * 100,
    "a" * 101,
    "qwxzvbnmkjhgfd zzzzzzzzq ꙮ ᚠᚢᚦ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ｆｕｌｌｗｉｄｔｈ",
    "pneumonoultramicroscopicsilicovolcanoconiosis antidisestablishmentarianism",
    "1234567890 3.14159 1,000,000 0xDEADBEEF 2026-11-22T19:50:00Z 192.168.0.1",
    "The quick brown fox jumps over the lazy dog. " * 3,
    " ".join(f"item {number}" for number in range(60)),
    "x " * 253,
    "x " * 254,
    "x " * 255,
    "x " * 600 + "what is cut off says nothing",
    "word " * 254 + "[SEP] behind the end",
    "x" * 3_000 + " after a long word",
    "\n\n".join(f"Paragraph {number} of a long note about the search index and its errors." for number in range(40)),
    "漢" * 400,
    "the index " * 12 + "\u0000" * 50 + "!" * 300,
]


class Local(ONNXMiniLM_L6_V2):
    """Chroma's function over a given folder; it would download what is missing."""

    def _download_model_if_not_exists(self) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    if not (given.folder / "model.onnx").is_file():
        sys.exit(f"minilm_golden: {given.folder} holds no model.onnx.")
    Local.DOWNLOAD_PATH = given.folder.parent
    Local.EXTRACTED_FOLDER_NAME = given.folder.name
    function = Local(preferred_providers=["CPUExecutionProvider"])
    cases = []
    for text, vector in zip(TEXTS, function(TEXTS), strict=True):
        encoded = function.tokenizer.encode(text)
        ids = [token for token, counts in zip(encoded.ids, encoded.attention_mask, strict=True) if counts]
        numbers = base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()
        cases.append(json.dumps({"text": text, "ids": ids, "vector": numbers}, ensure_ascii=True))
    given.out.write_text('{ "cases": [\n' + ",\n".join(cases) + "\n] }\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
