"""The shipped file: reading, writing, and the reference implementation of what TypeScript computes from it.

Layout, little-endian: 8 bytes `WNSTATIC`, u32 length of the header, header (JSON, padded with spaces to a multiple of
4), u32[runs] character classes, f32[tokens] scales, i8[tokens * dimension] vectors, vocabulary (UTF-8, `\\n` between
tokens). A run is `first code point << 3 | class` and reaches to the next run's first code point.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MAGIC = b"WNSTATIC"
FORMAT = 1


def quantize(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 with one scale a token: `table[t]` is about `scales[t] * vectors[t]`."""
    scales = (np.abs(table).max(axis=1) / 127).astype(np.float32)
    divisor = np.where(scales > 0, scales, 1)[:, None]
    return scales, np.clip(np.rint(table / divisor), -127, 127).astype(np.int8)


@dataclass(frozen=True)
class Artefact:
    header: dict
    runs: np.ndarray
    scales: np.ndarray
    vectors: np.ndarray
    vocabulary: list[str]

    def embed(self, ids: list[list[int]]) -> np.ndarray:
        """Unit vectors; a text without a known token gives zeros."""
        unknown = self.header["unknownToken"]
        result = np.zeros((len(ids), self.vectors.shape[1]), np.float32)
        for row, tokens in enumerate(ids):
            known = np.array([token for token in tokens if token != unknown], np.int64)
            total = (self.scales[known, None].astype(np.float64) * self.vectors[known]).sum(0)
            length = np.linalg.norm(total)
            if length > 0:
                result[row] = total / length
        return result


def write(path: Path, about: dict, runs: np.ndarray, scales: np.ndarray, vectors: np.ndarray, vocabulary: list[str]) -> None:
    words = "\n".join(vocabulary).encode()
    body = runs.astype("<u4").tobytes() + scales.astype("<f4").tobytes() + vectors.astype("i1").tobytes() + words
    header = {
        "format": FORMAT,
        **about,
        "dimension": vectors.shape[1],
        "tokens": len(vocabulary),
        "characterRuns": len(runs),
        "vocabularyBytes": len(words),
        "crc32": zlib.crc32(body),
    }
    text = json.dumps(header, ensure_ascii=True)
    text += " " * (-len(text) % 4)
    path.write_bytes(MAGIC + struct.pack("<I", len(text)) + text.encode() + body)


def read(path: Path) -> Artefact:
    data = path.read_bytes()
    if data[:8] != MAGIC:
        raise ValueError(f"{path.name} is not a static embedder.")
    (length,) = struct.unpack_from("<I", data, 8)
    header = json.loads(data[12 : 12 + length])
    at = 12 + length
    if zlib.crc32(data[at:]) != header["crc32"]:
        raise ValueError(f"{path.name} is damaged.")
    tokens, dimension = header["tokens"], header["dimension"]
    runs = np.frombuffer(data, "<u4", header["characterRuns"], at)
    scales = np.frombuffer(data, "<f4", tokens, at + runs.nbytes)
    vectors = np.frombuffer(data, "i1", tokens * dimension, at + runs.nbytes + scales.nbytes).reshape(tokens, dimension)
    vocabulary = data[at + runs.nbytes + scales.nbytes + vectors.nbytes :].decode().split("\n")
    return Artefact(header, runs, scales, vectors, vocabulary)
