"""Writes what Chroma's cache holds, without its download: model.onnx and tokenizer.json of all-MiniLM-L6-v2.

    python minilm_onnx.py OUT_DIR --model FOLDER      # FOLDER: model.safetensors, config.json, tokenizer.json
    python minilm_onnx.py OUT_DIR --tiny              # the small random model of src/models/minilm/fixtures

Chroma's file was made by transformers' exporter, which called torch.onnx.export as here: without a pooler, constants
folded, so that the matrices lie transposed under invented names.
"""

import argparse
import shutil
import warnings
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

OPSET = 14
SEED = 20_261
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = "the of and in to what did we decide about index search when was how why not return const import error".split()
CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
ALONE = [*".,;:!?'\"()[]{}<>=+-*/_#@&", "中", "文", "漢", "字"]
# Each size differs from the others, so that none can stand for another by accident.
TINY = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 40}


class LastHiddenState(torch.nn.Module):
    def __init__(self, model: BertModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        given = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids}
        return self.model(**given).last_hidden_state


def export(model: BertModel, path: Path) -> None:
    ids = torch.tensor([[2, 5, 3]])
    names = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {name: {0: "batch_size", 1: "sequence_length"} for name in [*names, "last_hidden_state"]}
    with warnings.catch_warnings():
        # The tracing exporter is the one that wrote Chroma's file.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            LastHiddenState(model.eval()),
            (ids, torch.ones_like(ids), torch.zeros_like(ids)),
            str(path),
            input_names=names,
            output_names=["last_hidden_state"],
            dynamic_axes=axes,
            opset_version=OPSET,
            do_constant_folding=True,
            dynamo=False,
        )


def tiny_tokenizer() -> Tokenizer:
    pieces = [*SPECIAL, *WORDS, *CHARACTERS, *(f"##{one}" for one in CHARACTERS), *ALONE]
    vocabulary = {piece: at for at, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    around = [(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=around)
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIAL])
    return tokenizer


def tiny_model(vocabulary: int) -> BertModel:
    torch.manual_seed(SEED)
    config = BertConfig(vocab_size=vocabulary, max_position_embeddings=256, attn_implementation="eager", **TINY)
    model = BertModel(config, add_pooling_layer=False)
    with torch.no_grad():
        # Larger than at the start of a training: every part must matter to the vectors.
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", type=Path)
    which.add_argument("--tiny", action="store_true")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.tiny:
        tokenizer = tiny_tokenizer()
        tokenizer.save(str(given.out / "tokenizer.json"), pretty=False)
        export(tiny_model(tokenizer.get_vocab_size()), given.out / "model.onnx")
    else:
        shutil.copyfile(given.model / "tokenizer.json", given.out / "tokenizer.json")
        model = BertModel.from_pretrained(given.model, add_pooling_layer=False, attn_implementation="eager")
        export(model, given.out / "model.onnx")


if __name__ == "__main__":
    main()
