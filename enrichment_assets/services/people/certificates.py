"""The certificate of an erasure as a page that can be sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def as_markdown(certificate: Mapping[str, Any]) -> str:
    """What was done, where, how many, when and by whom; nothing of the person but the beginning of a hash."""
    return "\n".join(_lines(certificate))


def _lines(one: Mapping[str, Any]) -> Iterator[str]:
    yield f"# Erasure {one['erasure']}"
    yield ""
    yield f"- Person: {one['subject']} (the beginning of a keyed hash)"
    yield f"- Data of: {one['client'] or 'every client'}"
    yield f"- Reason: {one['reason']}"
    yield f"- Asked for by {one['actor']} at {one['requested_at']}, done at {one['finished_at']}"
    yield f"- Items that are without a person: {one['items']}; identities that are kept out: {one['identities']}"
    yield ""
    yield "| place | when | what |"
    yield "| --- | --- | --- |"
    for place, done in one["places"].items():
        figures = {name: value for name, value in done.items() if name != "at"}
        yield f"| {place} | {done['at']} | {_said(figures)} |"
    yield ""
    yield from _list("Left to a person", [f"{left['where']}: {left['why']}" for left in one["left_to_a_person"]])
    still = [f"{found['place']}, {found['where']}: {found['rows']}" for found in one["still_found"]]
    yield from _list("Still found afterwards", still)


def _said(figures: Any) -> str:
    if isinstance(figures, Mapping):
        return ", ".join(f"{name}: {_said(value)}" for name, value in figures.items()) or "nothing"
    if isinstance(figures, list):
        return " ".join(str(one) for one in figures) or "none"
    return str(figures)


def _list(title: str, lines: list[str]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield from (f"- {line}" for line in lines or ["nothing"])
    yield ""
