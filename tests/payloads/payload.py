"""The files of `shapes/`, as typed values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.registry.loader import builtin_pipelines

SHAPES = Path(__file__).parent / "shapes"
OWN = "own"
"""Stands in `steps` for the workflow that a file defines itself."""

WHOSE = "Payload"
"""The column of the upload that says which file a row is from."""


@dataclass(frozen=True, slots=True)
class SentAnswer:
    """One HTTP answer, or the body and headers of one callback."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class StepAnswers:
    """What a workflow is answered: the request, polls in order, and a callback."""

    first: SentAnswer
    polls: tuple[SentAnswer, ...]
    callback: SentAnswer | None


@dataclass(frozen=True, slots=True)
class Payload:
    """One shape: its row, its answers by workflow, and what must come out."""

    name: str
    steps: tuple[str, ...]
    row: Mapping[str, str]
    workflow: WorkflowDefinition | None
    answers: Mapping[str, StepAnswers]
    expect: Mapping[str, Any]
    text: str

    @property
    def slug(self) -> str:
        """Slug of the file's own workflow."""
        return self.name.replace("_", "-")

    def slug_of(self, step: str) -> str:
        """The workflow behind a name in `steps` or `answers`."""
        return self.slug if step == OWN else step


def load_payloads(folder: Path = SHAPES) -> list[Payload]:
    """Every file, by name. Raises what is wrong with one, with its name."""
    return [_load(path) for path in sorted(folder.glob("*.yaml"))]


def _load(path: Path) -> Payload:
    text = path.read_text("utf-8")
    values = yaml.safe_load(text)
    known = {"provider", "source", "steps", "pipeline", "row", "workflow", "answers", "expect"}
    assert not set(values) - known, f"{path.name}: unknown keys {set(values) - known}"
    assert values["provider"], f"{path.name}: name the provider and the version"
    assert values["source"], f"{path.name}: say where the shape is from"
    steps = values.get("steps") or builtin_pipelines()[values["pipeline"]].slugs()
    name = path.stem
    slug = name.replace("_", "-")
    return Payload(
        name=name,
        steps=tuple(steps),
        row=values["row"],
        workflow=_own_workflow(slug, values.get("workflow")),
        answers={slug if step == OWN else step: _answers(given) for step, given in values.get("answers", {}).items()},
        expect=values["expect"],
        # Values are looked for in what a request can quote: not in the comments, nor in the names of steps.
        text="\n".join(_leaves([values["row"], values.get("answers", {}), values["expect"]])),
    )


def _own_workflow(slug: str, given: dict[str, Any] | None) -> WorkflowDefinition | None:
    """The workflow of a file, which only that file's row runs."""
    if given is None:
        return None
    mine = f"original.{WHOSE} == '{slug}'"
    condition = given.get("run_if")
    values = {
        "slug": slug,
        "title": slug,
        "step": 900,
        "provider": "http",
        "operation": "own",
        "mode": "sync",
        **given,
        "run_if": f"({condition}) && {mine}" if condition else mine,
    }
    return WorkflowDefinition.model_validate(values)


def _answers(given: dict[str, Any]) -> StepAnswers:
    callback = given.get("callback")
    return StepAnswers(
        first=_answer(given),
        polls=tuple(_answer(poll) for poll in given.get("polls", ())),
        callback=None if callback is None else _answer(callback),
    )


def _answer(given: dict[str, Any]) -> SentAnswer:
    body = given.get("body", "")
    sent = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    headers = {"content-type": "application/json", **given.get("headers", {})}
    return SentAnswer(given.get("status", 200), headers, sent.encode())


def _leaves(value: Any) -> Iterator[str]:
    """The texts and numbers in a value, as text."""
    if isinstance(value, Mapping):
        for member in value.values():
            yield from _leaves(member)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
