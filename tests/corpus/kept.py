"""The corpus: an answer as the ledger or the inbox keeps it, the step as its batch keeps it, and how it is read.

`steps.jsonl`: `{"step": name, "blueprint": ...}`, a blueprint of one step as it stands in `batches.blueprint`.
`answers.jsonl`: `{"answer": name, "step": ..., "kind": ..., "kept": ..., "read": ...}`. A body is text where it is
UTF-8, else `{"base64": ...}`. Names are digests: a line that is there already is known by its name.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from enrichment_assets.domain.bulk_answers import Place
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.engine.decisions.decision import dump
from enrichment_assets.engine.decisions.replay import read_as_live
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.services.operations.rereading import prepared_step
from tests.harness.marks import ROOT

FOLDER = ROOT / "tests" / "data" / "corpus"
STEPS, ANSWERS = FOLDER / "steps.jsonl", FOLDER / "answers.jsonl"
ANYWHERE = "http://127.0.0.1:9"
"""Where the simulator would be: nothing is called, and a step for it needs no key."""

BODIES = ("body", "callback")


@dataclass(frozen=True)
class Kept:
    """An answer as it is kept: `engine.decisions.replay.KeptAnswer`."""

    http_status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    external_id: str | None = None
    place: Place | None = None
    inputs: Mapping[str, str] | None = None
    callback: bytes | None = None
    callback_encoding: str | None = None
    callback_type: str | None = None

    def as_json(self) -> dict[str, Any]:
        """What is written."""
        said = {name: value for name, value in asdict(self).items() if value not in (None, {})}
        return said | {name: _text(said[name]) for name in BODIES if name in said}

    @classmethod
    def of_json(cls, written: Mapping[str, Any]) -> Kept:
        """What was written."""
        said = dict(written) | {name: _bytes(written[name]) for name in BODIES if name in written}
        if (place := said.get("place")) is not None:
            names = place.get("names")
            said["place"] = Place(place["index"], place["count"], None if names is None else tuple(names))
        return cls(**said)


def read(step: Step, kept: Kept) -> dict[str, Any]:
    """How a step reads it: where its state goes, and with what. The words of a reason may change, the reading not."""
    decision = read_as_live(step, kept)
    if decision is None:
        return {"status": None}
    said: dict[str, Any] = {
        "status": decision.status.value,
        "outcome": decision.outcome and decision.outcome.value,
        "error_class": decision.error_class and decision.error_class.value,
        "external_id": decision.external_id,
        "cost": None if decision.cost is None else str(decision.cost.normalize()),
        "stops_provider": decision.stops_provider,
        "fields": json.loads(dump(decision.fields)),
        "rejected": json.loads(dump(decision.rejected)),
        "citations": json.loads(dump(decision.citations)),
    }
    return {name: value for name, value in said.items() if value not in (None, False, {})}


def step_of(blueprint: Mapping[str, Any]) -> Step:
    """The one step of a blueprint as it was kept."""
    made = Blueprint.model_validate(blueprint)
    return prepared_step(ANYWHERE, made, made.steps[0].slug)


@lru_cache
def steps() -> dict[str, Step]:
    """Name -> step of the corpus."""
    return {line["step"]: step_of(line["blueprint"]) for line in _lines(STEPS.name)}


def answers() -> list[dict[str, Any]]:
    """The lines of answers."""
    return list(_lines(ANSWERS.name))


def name_of(content: Any) -> str:
    """A digest by which the same line is found again."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _lines(name: str) -> Iterator[dict[str, Any]]:
    with (FOLDER / name).open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _text(body: bytes) -> Any:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _bytes(written: Any) -> bytes:
    return written.encode() if isinstance(written, str) else base64.b64decode(written["base64"])
