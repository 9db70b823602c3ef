"""The builder of pipelines: steps in their order, fallbacks, deliveries; checked as they are put together.

Each press of a button sends the whole form, so that it works without a script; dragging changes the order of fields.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import yaml
from pydantic import ValidationError

from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.versions import ChangedMeanwhileError, Seen
from enrichment_assets.registry.loader import explain
from enrichment_assets.services.catalog.configuration import (
    add_pipeline,
    get_client,
    get_pipeline,
    list_pipelines,
    list_workflows,
    pipeline_faults_of,
)
from enrichment_assets.services.catalog.ran_pipelines import RanLayout, layout_of, layouts_run
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.views import Redirect, Shown, View

_MOST_STEPS = 200
_FALLBACK = "fallback"


@dataclass(slots=True)
class Entry:
    """One step as it is built; `is_fallback`: it is asked only where the one above it missed."""

    slug: str
    is_fallback: bool


@dataclass(slots=True)
class Built:
    """A pipeline while it is put together.

    Attributes:
        slug: Under which it is saved.
        title: Its title.
        entries: Its steps.
        deliver: Where its leads go.
        began: Slug of the one that it began with, whose other fields it keeps.
        seen: The version of that one when somebody began; empty: it is new.
    """

    slug: str
    title: str
    entries: list[Entry]
    deliver: list[str]
    began: str
    seen: str


def show(call: Call) -> Shown:
    """A pipeline of the client to change, or an empty one."""
    call.checked("pipeline", "said")
    slug = call.query.get("pipeline") or ""
    if not slug:
        return _page(call, Built("", "", [], [], "", ""))
    registered = get_pipeline(call.hq, slug, call.path["client"])
    found = registered.definition
    return _page(call, Built(found.slug, found.title, _entries(found), list(found.deliver), slug, registered.seen_as))


def change(call: Call) -> Shown:
    """What a button does: a step more, one less, another order; or saving it for the client."""
    built, action = _built(call), call.text("action") or "check"
    verb, _, what = action.partition(":")
    match verb:
        case "add":
            if slug := call.text("more"):
                built.entries.append(Entry(slug, is_fallback=False))
        case "up" | "down" | "remove":
            _move(built.entries, verb, int(what) if what.isdecimal() and len(what) < 6 else -1)
        case "save":
            definition = _definition(built, _saved(call, built))
            if isinstance(definition, PipelineDefinition) and not pipeline_faults_of(call.hq, definition):
                client = call.path["client"]
                seen = Seen.version(built.seen if built.slug == built.began else "")
                try:
                    add_pipeline(call.hq, definition, client, actor=call.known.actor, seen=seen)
                except ChangedMeanwhileError as error:
                    return _page(call, _seen_now(built, error), error.what)
                return Redirect(f"/clients/{client}/builder?pipeline={definition.slug}", "pipeline-saved")
    return _page(call, built)


def _seen_now(built: Built, error: ChangedMeanwhileError) -> Built:
    """The pipeline as it was put together, beside what somebody else saved: saved now it is saved knowingly."""
    return replace(built, began=built.slug if error.version else "", seen=error.version or "")


def _move(entries: list[Entry], verb: str, place: int) -> None:
    if not 0 <= place < len(entries):
        return
    one = entries.pop(place)
    if verb != "remove":
        entries.insert(max(place - 1, 0) if verb == "up" else place + 1, one)


def _built(call: Call) -> Built:
    """The form. Raises the 422 for one that no page of ours sends."""
    steps, joins = _texts(call.body.get("step")), _texts(call.body.get("join"))
    if len(steps) != len(joins) or len(steps) > _MOST_STEPS:
        raise invalid(step=f"comes with `join`, {_MOST_STEPS} at most")
    entries = [Entry(slug, join == _FALLBACK) for slug, join in zip(steps, joins, strict=True)]
    title, slug = call.text("title") or "", call.text("slug") or ""
    return Built(
        slug.strip(),
        title,
        entries,
        _texts(call.body.get("deliver")),
        call.text("began") or "",
        call.text("seen") or "",
    )


def _definition(built: Built, saved: PipelineDefinition | None) -> PipelineDefinition | str:
    """The pipeline, or why it is none yet; what the builder does not show it keeps of `saved`."""
    steps: list[Any] = []
    for entry in built.entries:
        if not entry.is_fallback or not steps:
            steps.append([entry.slug])
        else:
            steps[-1].append(entry.slug)
    kept = {} if saved is None else saved.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    said = {
        **kept,
        "slug": built.slug,
        "title": built.title,
        "steps": [group[0] if len(group) == 1 else {"waterfall": group} for group in steps],
        "deliver": built.deliver,
    }
    try:
        return PipelineDefinition.model_validate(said)
    except ValidationError as error:
        return explain(error, PipelineDefinition)


def _page(call: Call, built: Built, meanwhile: str | None = None) -> View:
    client = get_client(call.hq, call.path["client"])
    workflows = [one.definition for one in list_workflows(call.hq) if one.definition.enabled]
    saved = _saved(call, built)
    definition = _definition(built, saved) if built.entries else "put steps in, from the list below"
    at, others = _by_step(call, definition)
    context = {
        "client": client,
        "built": built,
        "titles": {one.slug: one.title for one in workflows},
        "steps": [one for one in workflows if one.delivery is None],
        "destinations": [one for one in workflows if one.delivery is not None],
        "pipelines": list_pipelines(call.hq, client.slug),
        "at": at,
        "others": others,
        "is_fine": isinstance(definition, PipelineDefinition) and not at and not others,
        "changes": _changes(saved, definition),
        "ran": _ran(call, built, saved),
        "meanwhile": meanwhile,
    }
    status = HTTPStatus.OK if meanwhile is None else HTTPStatus.PRECONDITION_FAILED
    return View("builder.html", f"Pipeline of {client.slug}", context, status)


def _by_step(call: Call, definition: PipelineDefinition | str) -> tuple[dict[int, list[str]], list[str]]:
    """Place of a step, from 1 -> what is wrong at it; and what is wrong elsewhere."""
    if isinstance(definition, str):
        return {}, [definition]
    at: dict[int, list[str]] = defaultdict(list)
    others = []
    for fault in pipeline_faults_of(call.hq, definition):
        found = re.match(r"step (\d+)(?:, [^:]*)?: (.*)", fault, re.DOTALL)
        if found is None:
            others.append(fault)
        else:
            at[int(found[1])].append(found[2])
    return dict(at), others


def _saved(call: Call, built: Built) -> PipelineDefinition | None:
    """The pipeline that it began with, as it is saved now; None: it began with none, or that one is gone."""
    if not built.began:
        return None
    try:
        return get_pipeline(call.hq, built.began, call.path["client"]).definition
    except NotFoundError:
        return None


def _changes(saved: PipelineDefinition | None, definition: PipelineDefinition | str) -> list[str]:
    """Lines that differ from what is saved; empty: nothing does, or nothing is saved."""
    if isinstance(definition, str) or saved is None:
        return []
    return list(difflib.unified_diff(_yaml(saved), _yaml(definition), "saved", "as built", lineterm="", n=1))[2:]


def _ran(call: Call, built: Built, saved: PipelineDefinition | None) -> list[tuple[RanLayout, list[str]]]:
    """The orders of steps that batches ran, each with the lines in which what is saved now differs."""
    if not built.began:
        return []
    now = () if saved is None else layout_of(saved)
    return [
        (one, list(difflib.unified_diff(one.lines, now, "ran", "saved now", lineterm="", n=0))[2:])
        for one in layouts_run(call.hq, call.path["client"], built.began)
    ]


def _yaml(definition: PipelineDefinition) -> list[str]:
    written = definition.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return yaml.safe_dump(written, sort_keys=False, allow_unicode=True).splitlines()


def _entries(found: PipelineDefinition) -> list[Entry]:
    entries = []
    for members in found.groups:
        entries += [Entry(slug, is_fallback=place > 0) for place, slug in enumerate(members)]
    return entries


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [] if value is None else [str(value)]
