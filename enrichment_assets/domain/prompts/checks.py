"""What can be wrong with a prompt before it is saved, and what a model must not decide in a pipeline.

A field that a prompt provides may steer a condition and be shown. It cannot be an address, a page to fetch, a
recipient or a header unless it is grounded: found in the input that it is said to come from. An input that a model
wrote grounds nothing: whatever it invented would be found there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from enrichment_assets.domain.client_profiles import PROFILE
from enrichment_assets.domain.field_types import FieldType, type_of
from enrichment_assets.domain.name_checks import Fault
from enrichment_assets.domain.prompts.definition import BATCH_DEADLINE
from enrichment_assets.domain.prompts.model_provider import ModelProvider
from enrichment_assets.domain.prompts.paths import provided_names, rule_names
from enrichment_assets.domain.prompts.rendering import inputs_of_items
from enrichment_assets.domain.prompts.schemas import Schema, general_faults, target
from enrichment_assets.domain.provider import Provider
from enrichment_assets.domain.reads import INPUTS, INSTRUCTIONS, Place, Read, reads_of, spelt
from enrichment_assets.domain.suggestions import instead, misspelt
from enrichment_assets.domain.template_expressions import PARAMETERS
from enrichment_assets.domain.workflow import WorkflowDefinition

LEADS_SOMEWHERE = frozenset({
    FieldType.EMAIL, FieldType.PHONE, FieldType.URL, FieldType.HOST, FieldType.LINKEDIN_PROFILE,
    FieldType.LINKEDIN_COMPANY,
})  # fmt: skip
"""Types of values that say where something goes."""

_LEADING_NAME = re.compile(
    r"(?:^|_)(?:e?mails?|e_mails?|mailto|recipients?|phones?|mobiles?|whatsapp|urls?|uris?|links?|hrefs?|websites?|"
    r"homepages?|domains?|hosts?|webhooks?|callbacks?|endpoints?)$"
)
"""A field or member that is called so leads somewhere, unless its workflow says under `types` what else it is."""

_ADDRESSING = re.compile(
    r"^(?:to|cc|bcc|from|reply_?to|sender|target|address(?:es)?|linkedin|(?:list|campaign|channel|user)_?ids?)$"
)
"""Names of members of a request that say to whom it goes."""


def prompt_faults(workflow: WorkflowDefinition, providers: Mapping[str, Provider]) -> Iterator[Fault]:
    """Each with the place where it stands; nothing but a price by tokens is wrong where there is no `prompt`."""
    if workflow.prompt is None and workflow.price.tokens is not None:
        yield Fault(("price", "tokens"), "only a `prompt` is paid by tokens: write `price: {estimate: ...}`")
    if workflow.prompt is None or workflow.provider not in providers:
        return
    provider = providers[workflow.provider]
    if not isinstance(provider, ModelProvider):
        known = sorted(name for name, one in providers.items() if isinstance(one, ModelProvider))
        yield Fault(("provider",), f"{workflow.provider} takes no `prompt`; there are {', '.join(known)}")
        return
    yield from _parameter_faults(workflow, provider)
    schema = [Fault(("prompt", "answer", *place), said) for place, said in general_faults(workflow.prompt.answer)]
    yield from schema
    if not schema:
        yield from _dialect_faults(workflow, provider)
        yield from _batch_faults(workflow, provider)
        yield from _path_faults(workflow)
    yield from _instruction_faults(workflow)
    yield from _input_faults(workflow)
    yield from _ungrounded(workflow)


def prompt_warnings(workflow: WorkflowDefinition, providers: Mapping[str, Provider]) -> list[Fault]:
    """What a prompt says and its model is not told."""
    provider = providers.get(workflow.provider)
    if workflow.prompt is None or not isinstance(provider, ModelProvider):
        return []
    told = provider.left_out(workflow.prompt, workflow.parameters)
    return [Fault(place, message, certain=False) for place, message in told]


def steered_faults(workflow: WorkflowDefinition, earlier: Sequence[WorkflowDefinition]) -> list[str]:
    """What a model would decide in a pipeline and must not, one sentence each.

    Args:
        workflow: A step.
        earlier: The steps before it, in order.
    """
    written = {name: step.slug for step in earlier for name in invented_fields(step)}
    if not written:
        return []
    found = []
    for read in reads_of(workflow):
        if read.head not in written:
            continue
        if _is_destination(read.place):
            found.append(
                f"{spelt(read.place)}: {read.head!r} is what a model wrote ({written[read.head]}), and would decide "
                f"where something goes: name it under `prompt.grounded` there"
            )
    if workflow.prompt is not None:
        found += [
            f"prompt.grounded.{path}: its input {read.place[2]!r} reads {read.head!r}, which a model wrote "
            f"({written[read.head]}): nothing can be grounded in that"
            for path, names in workflow.prompt.grounded.items()
            for read in _reads_of_inputs(workflow, names)
            if read.head in written
        ]
    return list(dict.fromkeys(found))


def invented_fields(workflow: WorkflowDefinition) -> frozenset[str]:
    """Fields that a model may make up: those of a prompt that are not grounded."""
    if workflow.prompt is None:
        return frozenset()
    return frozenset(name for name, path in workflow.provides.items() if not is_grounded(workflow, path))


def is_grounded(workflow: WorkflowDefinition, path: str) -> bool:
    """Whether what an expression of `provides` gives was looked for in an input: it is the path of a rule, or below."""
    if workflow.prompt is None:
        return False
    names = provided_names(path)
    rules = [rule_names(rule) for rule in workflow.prompt.grounded]
    return names is not None and any(names[: len(rule)] == rule for rule in rules if rule)


def _parameter_faults(workflow: WorkflowDefinition, provider: ModelProvider) -> Iterator[Fault]:
    """Parameters of the dialect with values that it does not have, or names that are nearly one of them."""
    read = {one.member for one in reads_of(workflow) if one.head == PARAMETERS}
    for name, value in workflow.parameters.items():
        known = provider.parameters.get(name)
        if name not in provider.parameters:
            near = None if name in read else misspelt(name, provider.parameters)
            if near is not None:
                yield Fault(
                    ("parameters", name), f"{workflow.provider} has no parameter {name!r}; did you mean {near!r}?"
                )
        elif known is None and not isinstance(value, Mapping):
            yield Fault(("parameters", name), "has to be an object: members that the request has besides")
        elif known is not None and value not in known:
            yield Fault(("parameters", name), f"{value!r} is none of {instead(str(value), known)}")


def _dialect_faults(workflow: WorkflowDefinition, provider: ModelProvider) -> Iterator[Fault]:
    assert workflow.prompt is not None  # noqa: S101 - asked before
    known = {
        name: value for name, value in workflow.parameters.items() if value in (provider.parameters.get(name) or ())
    }
    whole = {**known, **{name: value for name, value in workflow.parameters.items() if isinstance(value, Mapping)}}
    for place, message in provider.prompt_faults(workflow.prompt, whole):
        yield Fault(place, message)


def _batch_faults(workflow: WorkflowDefinition, provider: ModelProvider) -> Iterator[Fault]:
    """A batch where there is no batch API, or whose answers would be given up before they can come."""
    if workflow.prompt is None or not workflow.prompt.batch:
        return
    if provider.batch_api(workflow.parameters) is None:
        yield Fault(("prompt", "batch"), f"{workflow.provider} has no batch API: leave it out")
    if workflow.deadline < BATCH_DEADLINE:
        hours = f"{BATCH_DEADLINE / 3600:g}h"
        yield Fault(("deadline",), f"a batch is answered within a day: the deadline has to be {hours} or more")


def _path_faults(workflow: WorkflowDefinition) -> Iterator[Fault]:
    """Paths of the answer that its schema does not have."""
    prompt = workflow.prompt
    assert prompt is not None  # noqa: S101 - asked before
    for setting in ("grounded", "cites"):
        for path in getattr(prompt, setting):
            if (fault := _no_such_path(prompt.answer, path)) is not None:
                yield Fault(("prompt", setting, path), fault)


def _no_such_path(schema: Schema, path: str) -> str | None:
    """What is wrong with a path into an answer; None where it exists, or the schema leaves that open."""
    at: list[Schema] = _choices(schema, schema, 0)
    for step in rule_names(path):
        at = [*at, *(one for part in at for one in _choices(schema, part.get("items"), 0))]
        known = {name: member for part in at for name, member in _members(part).items()}
        if step not in known:
            is_open = not known or any(part.get("additionalProperties", True) is not False for part in at)
            return None if is_open and not known else f"the answer has no {step!r}: {instead(step, known)}"
        at = _choices(schema, known[step], 0)
    return None


def _choices(root: Schema, part: Any, depth: int) -> list[Schema]:
    """A part of a schema as all the schemas that it may be: references followed, choices taken apart."""
    if not isinstance(part, Mapping) or depth > 8:
        return []
    found: list[Schema] = [part]
    if isinstance(reference := part.get("$ref"), str):
        found += _choices(root, target(root, reference), depth + 1)
    for keyword in ("anyOf", "oneOf", "allOf"):
        options = part.get(keyword)
        for option in options if isinstance(options, list) else ():
            found += _choices(root, option, depth + 1)
    return found


def _members(part: Schema) -> Mapping[str, Any]:
    members = part.get("properties")
    return members if isinstance(members, Mapping) else {}


def _instruction_faults(workflow: WorkflowDefinition) -> Iterator[Fault]:
    for read in reads_of(workflow):
        if read.place == INSTRUCTIONS and read.head not in (PARAMETERS, PROFILE):
            name = ".".join(read.names)
            yield Fault(
                INSTRUCTIONS,
                f"instructions are ours, and {name!r} is a stranger's text: make it one of `prompt.inputs`",
            )


def _input_faults(workflow: WorkflowDefinition) -> Iterator[Fault]:
    """Inputs that say nothing of an item, or that `grounded` and `cites` name and that there are not."""
    prompt = workflow.prompt
    assert prompt is not None  # noqa: S101 - asked before
    if not inputs_of_items(prompt):
        yield Fault(("prompt", "inputs"), "they are the same for every item: no field of an item is in them")
    named = [(("prompt", "grounded", path), name) for path, names in prompt.grounded.items() for name in names]
    named += [(("prompt", "cites", path), name) for path, name in prompt.cites.items()]
    for place, name in named:
        if name not in prompt.inputs:
            yield Fault(place, f"there is no input {name!r}: {instead(name, prompt.inputs)}")


def _ungrounded(workflow: WorkflowDefinition) -> Iterator[Fault]:
    """Provided fields that lead somewhere and are found in no input."""
    for name, path in workflow.provides.items():
        if is_grounded(workflow, path) or not _leads_somewhere(name, workflow.types):
            continue
        kind = type_of(name, workflow.types)
        what = f"of type {kind.value}" if kind is not FieldType.ANY else "called like an address"
        remedy = f"name the input that has it, `prompt.grounded: {{{path}: [...]}}`"
        other = "" if kind is not FieldType.ANY else f", or say what it is, `types: {{{name}: text}}`"
        yield Fault(("provides", name), f"is {what}, and a model may invent it: {remedy}{other}")


def _leads_somewhere(name: str, types: Mapping[str, FieldType]) -> bool:
    kind = type_of(name, types)
    return kind in LEADS_SOMEWHERE or (kind is FieldType.ANY and _LEADING_NAME.search(name) is not None)


def _is_destination(place: Place) -> bool:
    """Whether what stands at a place of a request says where the request, or what it asks for, goes."""
    start = 2 if place[:1] == ("poll",) else 1
    part = place[start] if len(place) > start else None
    if place[0] not in ("request", "poll", "bulk"):
        return False
    if part in ("url", "headers"):
        return True
    names = [key for key in place[start + 1 :] if isinstance(key, str)]
    return any(_LEADING_NAME.search(_snake(name)) or _ADDRESSING.match(_snake(name)) for name in names)


def _reads_of_inputs(workflow: WorkflowDefinition, names: Collection[str]) -> Iterator[Read]:
    for read in reads_of(workflow):
        if read.place[:2] == INPUTS and read.place[2] in names:
            yield read


def _snake(name: str) -> str:
    """`replyTo`, `Reply-To` as `reply_to`."""
    return re.sub(r"[\s-]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)).lower()
