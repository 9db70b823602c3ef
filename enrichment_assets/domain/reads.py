"""Every name that a workflow reads, and where: in templates, in its condition, in the columns of its destination.

Expressions over an answer (`provides`, `found_if` ...) read what a provider sends: nobody knows its names beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.expression_trees import optional_paths, paths_in
from enrichment_assets.domain.expressions import Expression
from enrichment_assets.domain.request_template import RequestTemplate
from enrichment_assets.domain.template_expressions import TemplateError
from enrichment_assets.domain.template_expressions import paths_in as template_paths
from enrichment_assets.domain.workflow import WorkflowDefinition

Place = tuple[str | int, ...]
"""Keys into the workflow's file: `("request", "body", "people", 0, "name")`."""


class Read(NamedTuple):
    """One name that is read: `names` is `("original", "Job Title")` or `("email",)`; `optional`: it may be missing."""

    place: Place
    names: tuple[str, ...]
    optional: bool = False

    @property
    def head(self) -> str:
        """The name at the top."""
        return self.names[0]

    @property
    def member(self) -> str | None:
        """What of it is asked for; None: the whole."""
        return self.names[1] if len(self.names) > 1 else None


def spelt(place: Place) -> str:
    """A place as people write it: `request.body.people[0].name`."""
    text = ""
    for key in place:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text


def texts_of(request: RequestTemplate, place: Place) -> Iterator[tuple[Place, str]]:
    """Every text of a request that can be a template, with its place."""
    yield (*place, "url"), request.url
    for part in ("headers", "query", "body"):
        yield from _texts((*place, part), getattr(request, part))


def requests_of(workflow: WorkflowDefinition) -> Iterator[tuple[Place, RequestTemplate]]:
    """The request, the poll's and those of a delivery, each with its place."""
    if workflow.request is not None:
        yield ("request",), workflow.request
    if workflow.poll is not None:
        yield ("poll", "request"), workflow.poll.request
    if workflow.delivery is not None:
        yield from workflow.delivery.requests().items()


def member_texts(workflow: WorkflowDefinition) -> Iterator[tuple[Place, str]]:
    """Every text of a bulk call's member that can be a template, with its place."""
    if workflow.bulk is not None:
        yield from _texts(("bulk", "member"), workflow.bulk.member)


def prompt_texts(workflow: WorkflowDefinition) -> Iterator[tuple[Place, str]]:
    """Every text of a prompt that can be a template, with its place."""
    if workflow.prompt is not None:
        yield INSTRUCTIONS, workflow.prompt.instructions
        yield from _texts(INPUTS, workflow.prompt.inputs)


def delivered_texts(workflow: WorkflowDefinition) -> Iterator[tuple[Place, str]]:
    """Every text of a delivery that can be a template and stands in no request, with its place."""
    if workflow.delivery is not None:
        yield ("delivery", "target"), workflow.delivery.target
        if workflow.delivery.key_field is not None:
            yield ("delivery", "key_field"), workflow.delivery.key_field
        if workflow.delivery.place is not None:
            yield ("delivery", "place"), workflow.delivery.place
        for name, lookup in workflow.delivery.lookups.items():
            if lookup.each is not None:
                yield ("delivery", "lookups", name, "each"), lookup.each
        for name, one in workflow.delivery.fields.items():
            if one.value is not None:
                yield ("delivery", "fields", name, "value"), one.value


INSTRUCTIONS: Place = ("prompt", "instructions")
INPUTS: Place = ("prompt", "inputs")


def reads_of(workflow: WorkflowDefinition) -> list[Read]:
    """What templates and the condition read of an item, in order. What does not compile reads nothing."""
    found = []
    for start, request in requests_of(workflow):
        for place, text in texts_of(request, start):
            found += [Read(place, path.names, path.optional) for path in _in_template(text)]
    for place, text in (*member_texts(workflow), *prompt_texts(workflow), *delivered_texts(workflow)):
        found += [Read(place, path.names, path.optional) for path in _in_template(text)]
    if workflow.run_if is not None:
        found += _in_expression(("run_if",), workflow.run_if)
    return found


def stored_reads(workflow: WorkflowDefinition) -> list[Read]:
    """What the columns of the destination read of `{item, fields, payload}`."""
    columns = workflow.destination.columns if workflow.destination is not None else {}
    return [
        read
        for name, column in columns.items()
        for read in _in_expression(("destination", "columns", name), column.source)
    ]


def _in_template(text: str) -> list[Any]:
    if "{" not in text:
        return []
    try:
        return template_paths(text)
    except TemplateError:
        return []


def _in_expression(place: Place, text: str) -> list[Read]:
    try:
        tree = Expression(text, spelt(place)).tree
    except ConfigurationError:
        return []
    optional = optional_paths(tree)
    return [Read(place, names[:2], names in optional) for names in sorted(paths_in(tree))]


def _texts(place: Place, value: Any) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield from _texts((*place, name), member)
    elif isinstance(value, list | tuple):
        for number, member in enumerate(value):
            yield from _texts((*place, number), member)
