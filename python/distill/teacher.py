"""The model that is distilled: all-MiniLM-L6-v2, mean pooling, unit length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from tokenizers import Tokenizer
from transformers import AutoModel

CLS, SEP, UNKNOWN = 101, 102, 100
TOKENS_MAX = 254
BATCH_TOKENS_MAX = 65_536


def load_tokenizer(model: Path) -> Tokenizer:
    """The teacher's tokenizer without padding and cutting. `[CLS]` in a text is the plain text that it is."""
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    return tokenizer


def encode(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    return [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]


class Teacher:
    """Weights are rounded to half precision first and computed with in single precision, on every device alike."""

    def __init__(self, model: Path, device: str) -> None:
        torch.backends.cuda.matmul.allow_tf32 = False
        self.device = device
        loaded = AutoModel.from_pretrained(str(model), dtype=torch.float32, local_files_only=True)
        self.model = loaded.half().float().to(device).eval()

    @torch.inference_mode()
    def tokens(self, count: int) -> torch.Tensor:
        """One vector for each token of the vocabulary: the mean over `[CLS] token [SEP]`."""
        vectors = []
        for start in range(0, count, 1024):
            ids = torch.tensor([[CLS, token, SEP] for token in range(start, min(count, start + 1024))], device=self.device)
            vectors.append(self.model(input_ids=ids).last_hidden_state.mean(1))
        return torch.cat(vectors)

    @torch.inference_mode()
    def texts(self, ids: list[list[int]]) -> torch.Tensor:
        """Unit vectors of token sequences, half precision, in the given order. Sequences are cut at TOKENS_MAX."""
        lengths = np.array([min(len(one), TOKENS_MAX) for one in ids])
        order = np.argsort(-lengths, kind="stable")
        result = torch.empty(len(ids), self.model.config.hidden_size, dtype=torch.float16, device=self.device)
        start = 0
        while start < len(order):
            width = int(lengths[order[start]]) + 2
            batch = order[start : start + max(1, BATCH_TOKENS_MAX // width)]
            rows = np.zeros((len(batch), width), np.int64)
            for row, index in enumerate(batch):
                length = lengths[index]
                rows[row, : length + 2] = [CLS, *ids[index][:length], SEP]
            inside = torch.arange(width, device=self.device)[None] < torch.from_numpy(lengths[batch] + 2).to(self.device)[:, None]
            hidden = self.model(input_ids=torch.from_numpy(rows).to(self.device), attention_mask=inside.long()).last_hidden_state
            mean = (hidden * inside[..., None]).sum(1) / inside.sum(1, keepdim=True)
            result[torch.from_numpy(batch).to(self.device)] = functional.normalize(mean, dim=1).half()
            start += len(batch)
        return result
