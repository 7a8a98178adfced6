"""all-MiniLM-L6-v2 as Chroma's default embedding function computes it, in numpy: 256 tokens at most, mean over the
tokens, unit length. Needs neither torch nor a download, only a folder with model.safetensors and tokenizer.json.
"""

import json
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

DIMENSION = 384
TOKENS_MAX = 256
LAYERS = 6
HEADS = 12
NORM_EPSILON = 1e-12


def erf(x: np.ndarray) -> np.ndarray:
    """Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26; absolute error below 1.5e-7."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    terms = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
    series = t * np.polyval(terms[::-1], t)
    return np.sign(x) * (1 - series * np.exp(-x * x))


def load_weights(file: Path) -> dict[str, np.ndarray]:
    """Arrays of a safetensors file: the length of a header, the header with types and places, the numbers."""
    data = file.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    weights = {}
    for name, tensor in json.loads(data[8:start]).items():
        if name == "__metadata__" or tensor["dtype"] != "F32":
            continue
        first, last = tensor["data_offsets"]
        weights[name] = np.frombuffer(data[start + first : start + last], np.float32).reshape(tensor["shape"])
    return weights


class MiniLM:
    def __init__(self, folder: Path) -> None:
        missing = [name for name in ("model.safetensors", "tokenizer.json") if not (folder / name).is_file()]
        if missing:
            raise FileNotFoundError(f"{folder} holds no {' and no '.join(missing)}")
        self.weights = load_weights(folder / "model.safetensors")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(max_length=TOKENS_MAX)
        self.tokenizer.no_padding()
        self.made: dict[str, list[float]] = {}

    def embed(self, texts: list[str]) -> list[list[float]]:
        """A unit vector for each text. One text at a time: no padding, so no result depends on its neighbours."""
        for text in texts:
            if text not in self.made:
                self.made[text] = self._vector(self.tokenizer.encode(text).ids).tolist()
        return [self.made[text] for text in texts]

    def _vector(self, ids: list[int]) -> np.ndarray:
        hidden = (
            self.weights["embeddings.word_embeddings.weight"][ids]
            + self.weights["embeddings.position_embeddings.weight"][: len(ids)]
            + self.weights["embeddings.token_type_embeddings.weight"][0]
        )
        hidden = self._norm(hidden, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            hidden = self._layer(hidden, f"encoder.layer.{layer}")
        mean = hidden.mean(axis=0)
        return mean / np.linalg.norm(mean)

    def _layer(self, hidden: np.ndarray, name: str) -> np.ndarray:
        query, key, value = (
            self._heads(self._linear(hidden, f"{name}.attention.self.{part}")) for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1])
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        seen = (shares @ value).transpose(1, 0, 2).reshape(hidden.shape)
        seen = self._norm(hidden + self._linear(seen, f"{name}.attention.output.dense"), f"{name}.attention.output.LayerNorm")
        inner = self._linear(seen, f"{name}.intermediate.dense")
        inner = inner * 0.5 * (1 + erf(inner / np.sqrt(2)))
        return self._norm(seen + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _heads(self, rows: np.ndarray) -> np.ndarray:
        return rows.reshape(len(rows), HEADS, -1).transpose(1, 0, 2)

    def _linear(self, rows: np.ndarray, name: str) -> np.ndarray:
        return rows @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _norm(self, rows: np.ndarray, name: str) -> np.ndarray:
        centred = rows - rows.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + NORM_EPSILON)
        return scaled * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]
