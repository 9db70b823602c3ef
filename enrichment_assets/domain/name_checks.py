"""Names that nothing gives, found before anything is paid for: in a workflow, in a pipeline, for an upload's columns.

A workflow by itself may read a field that only some pipeline gives it. So it is held against every field that the
platform or a registered workflow knows, and what it declares itself; in a pipeline a field has to come from the upload
or an earlier step, unless `uses` says that it may be missing; at a launch a column has to be one of the file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from enrichment_assets.domain.bulk_requests import MEMBERS
from enrichment_assets.domain.client_profiles import NAMES, PROFILE
from enrichment_assets.domain.delivery_names import delivery_name_fault
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.expression_trees import names_in
from enrichment_assets.domain.expressions import Expression
from enrichment_assets.domain.known_names import (
    ITEM_MEMBERS,
    PLATFORM,
    ROOTS,
    STORED_ITEM_MEMBERS,
    TEXT_PAYLOAD,
    emitted_by,
    given_by,
)
from enrichment_assets.domain.local_operations import PAYLOADS
from enrichment_assets.domain.map_answers import MAP_PAYLOAD
from enrichment_assets.domain.page_answers import HTML, PAGE_PAYLOAD
from enrichment_assets.domain.reads import Place, Read, reads_of, spelt, stored_reads
from enrichment_assets.domain.suggestions import did_you_mean, instead, misspelt
from enrichment_assets.domain.template_expressions import SECRETS
from enrichment_assets.domain.workflow import CALLBACK_SECRET, Mode, WorkflowDefinition


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place of a workflow. `place` are keys into its file; it is empty for the whole.

    `certain`: it is refused. What is not is said as a warning: a name that reads nothing, and is like no other either.
    """

    place: Place
    message: str
    certain: bool = True

    def __str__(self) -> str:
        """The place, then what is wrong: `request.body.domain: nothing gives a field 'compny_domain'`."""
        return f"{spelt(self.place)}: {self.message}" if self.place else self.message


def name_faults(
    workflow: WorkflowDefinition,
    known: Collection[str],
    parameters: Collection[str] = (),
    purposes: Collection[str] = (),
) -> list[Fault]:
    """Names in a workflow that nothing can give.

    Args:
        workflow: As it is about to be saved, or with a client's overrides merged in.
        known: Every field that the platform or a registered workflow gives (`known_names.vocabulary`).
        parameters: Further parameters that are set: by clients' configs.
        purposes: Of the secrets that the provider uses without being asked in a template.
    """
    own = {*workflow.required_fields, *workflow.uses, *given_by(workflow)}
    fields = [*known, *own]
    found = []
    for read in reads_of(workflow):
        if (message := _unknown(workflow, read, fields, [*workflow.parameters, *parameters], purposes)) is not None:
            found.append(Fault(read.place, message))
    found += [*_declarations(workflow, purposes), *_key_faults(workflow), *_emitted(workflow)]
    return [*found, *(fault for fault in _read_of_answers(workflow) if fault.certain)]


def name_warnings(workflow: WorkflowDefinition, known: Collection[str]) -> list[Fault]:
    """Names that a workflow may well give or ask for, and that look like misspellings of known ones.

    Also what it reads of its own answer and will not find there.
    """
    places: list[tuple[Place, str]] = [(("provides", name), name) for name in workflow.provides]
    places += [(("requires",), name) for name in sorted(workflow.required_fields)]
    places += [(("uses",), name) for name in workflow.uses]
    places += [(("emits", "items"), name) for name in sorted(emitted_by(workflow) or ())]
    found = [
        Fault(place, f"{name!r} is a field that nothing else knows; did you mean {near!r}?", certain=False)
        for place, name in places
        if (near := misspelt(name, known)) is not None
    ]
    return found + [fault for fault in _read_of_answers(workflow) if not fault.certain]


def pipeline_faults(
    workflow: WorkflowDefinition,
    available: Collection[str],
    known: Collection[str],
    later: Sequence[WorkflowDefinition],
) -> list[str]:
    """Fields that a step reads and that nothing before it gives, one sentence each.

    Args:
        workflow: The step.
        available: Fields that the upload or an earlier step can give.
        known: Every field that anybody gives: what `uses` names has to be one of these.
        later: The steps behind it.
    """
    own = given_by(workflow)
    faults = [
        f"uses: nothing gives a field {name!r}{did_you_mean(name, known)}"
        for name in workflow.uses
        if name not in known and name not in own
    ]
    optional = {*workflow.uses, *workflow.required_fields, *own}
    for read in reads_of(workflow):
        if read.head in ROOTS or read.head in available or read.head in optional:
            continue
        faults.append(f"{spelt(read.place)}: {_not_before(read.head, available, later)}")
    return list(dict.fromkeys(faults))


def columns_read(workflow: WorkflowDefinition) -> set[str]:
    """Columns of an upload that a step reads by their name, as members of `original`."""
    return {read.member for read in reads_of(workflow) if read.head == "original" and read.member is not None}


def column_faults(
    workflow: WorkflowDefinition, columns: Sequence[str], emitted: Collection[str] | None
) -> Iterator[str]:
    """Columns of the upload that a step reads as `original` and that the file does not have.

    Args:
        workflow: The step.
        columns: The upload's columns, as `original` has them.
        emitted: Keys of objects that workflows emit, which children have instead of columns; None: any.
    """
    for read in reads_of(workflow):
        if read.head != "original" or read.member is None or read.member in columns:
            continue
        if emitted is None or read.member in emitted:
            continue
        if read.optional and misspelt(read.member, columns) is None:
            continue
        where = f"workflow {workflow.slug}, {spelt(read.place)}"
        yield f"{where}: the upload has no column {read.member!r}: {instead(read.member, columns)}"


def _unknown(
    workflow: WorkflowDefinition,
    read: Read,
    fields: Sequence[str],
    parameters: Collection[str],
    purposes: Collection[str],
) -> str | None:
    """What is wrong with one name that a template or condition reads."""
    head, member = read.head, read.member
    if head == "item" and member is not None and member not in ITEM_MEMBERS:
        return f"`item` has no {member!r}: {instead(member, ITEM_MEMBERS)}"
    if head == PROFILE and member is not None and member not in NAMES:
        return f"the client's profile has no {member!r}: {instead(member, NAMES)}"
    if head == "parameters" and member is not None and member not in parameters:
        return f"there is no parameter {member!r}: {_declare(member, parameters)}"
    in_condition, in_poll = read.place[0] == "run_if", read.place[0] == "poll"
    if head == SECRETS:
        return "a secret can only stand in a header" if in_condition else _unknown_secret(workflow, member, purposes)
    if head == "callback_url" and (
        in_condition or in_poll or read.place[0] == "bulk" or workflow.mode is not Mode.ASYNC
    ):
        return "`callback_url` is there only in the request of an async workflow"
    if head == "external_id" and not in_poll:
        return "`external_id` is there only in `poll.request`"
    if head == MEMBERS and (workflow.bulk is None or read.place[0] != "request"):
        return "`members` is there only in the request of a workflow with `bulk`"
    if (message := delivery_name_fault(workflow, read)) is not None:
        return message
    if head in ROOTS or head in fields or workflow.delivery is not None:  # a delivery reads leads: `delivery_checks`
        return None
    guess = did_you_mean(head, [*ROOTS, *fields])
    if misspelt(head, [*ROOTS, *fields]):
        return f"nothing gives a field {head!r}{guess}"
    remedy = "a column of the file is original['Its Name']; a field that only some pipeline gives belongs under `uses`"
    return f"nothing gives a field {head!r}{guess} ({remedy})"


def _declare(name: str, parameters: Collection[str]) -> str:
    declared = f"declare it, `parameters: {{{name}: null}}`, where each client sets its own"
    return f"{instead(name, parameters)}, or {declared}" if parameters else declared


def _unknown_secret(workflow: WorkflowDefinition, purpose: str | None, purposes: Collection[str]) -> str | None:
    known = {**dict.fromkeys(purposes), **workflow.secrets}
    if purpose is None or purpose in workflow.secrets or purpose in known:
        return None
    variables = [f"{name} ({variable})" if variable else name for name, variable in known.items()]
    there_are = f"there are {', '.join(variables)}" if variables else "the workflow names none"
    return (
        f"there is no secret {purpose!r}{did_you_mean(purpose, known)} ({there_are}; `secrets: {{purpose: VARIABLE}}`)"
    )


def _declarations(workflow: WorkflowDefinition, purposes: Collection[str]) -> Iterator[Fault]:
    for name in workflow.provides:
        if name in ROOTS:
            yield Fault(("provides", name), f"{name!r} is a name of the platform's own: call the field something else")
    used = {read.member for read in reads_of(workflow) if read.head == SECRETS}
    known = {*purposes, CALLBACK_SECRET, *(purpose for purpose in used if purpose)}
    for purpose in workflow.secrets:
        if purpose not in known:
            nobody = f"no header has {{{{secrets.{purpose}}}}}, and {workflow.provider} does not use it by itself"
            yield Fault(("secrets", purpose), f"{nobody}{did_you_mean(purpose, known)}")


_OF_DESTINATIONS = ("client_slug", "batch_key", "item_id", "workflow_slug", "fetched_at")
"""Columns that every destination table has (`store.results.destinations`)."""


def _key_faults(workflow: WorkflowDefinition) -> Iterator[Fault]:
    """Columns that identify a destination's row and that its table does not have; operations that there are not."""
    if workflow.mode is Mode.LOCAL and workflow.operation not in PAYLOADS:
        message = f"there is no local operation {workflow.operation!r}: {instead(workflow.operation, PAYLOADS)}"
        yield Fault(("operation",), message)
    if workflow.destination is None:
        return
    for name in workflow.destination.columns:
        if name in _OF_DESTINATIONS:
            message = f"every destination has a column {name!r} that the platform fills: call this one something else"
            yield Fault(("destination", "columns", name), message)
    columns = [*workflow.destination.columns, *_OF_DESTINATIONS]
    for number, name in enumerate(workflow.destination.key):
        if name not in columns:
            yield Fault(("destination", "key", number), f"the table has no column {name!r}: {instead(name, columns)}")


def _read_of_answers(workflow: WorkflowDefinition) -> Iterator[Fault]:
    """What is read of results, and of answers whose members are known: of local operations, and of text."""
    payload = _payload(workflow)
    members = {"item": STORED_ITEM_MEMBERS, "fields": sorted(given_by(workflow)), "payload": payload}
    for read in stored_reads(workflow):
        if read.head not in members:
            yield Fault(read.place, f"there is no {read.head!r} here: {instead(read.head, members)}")
        elif read.member is not None and (known := members[read.head]) is not None and read.member not in known:
            certain = read.head == "item" or misspelt(read.member, known) is not None
            yield Fault(read.place, f"`{read.head}` has no {read.member!r}: {instead(read.member, known)}", certain)
    if payload is None:
        return
    expressions: list[tuple[Place, str | None]] = [(("provides", name), how) for name, how in workflow.provides.items()]
    expressions += [(("response", name), getattr(workflow.response, name)) for name in ("found_if", "error_if", "cost")]
    for place, text in expressions:
        for name in sorted(_names(text)):
            if name not in payload:
                certain = misspelt(name, payload) is not None
                yield Fault(place, f"the answer has no {name!r}: {instead(name, payload)}", certain)


def _payload(workflow: WorkflowDefinition) -> Sequence[str] | None:
    """The members of an answer where they are ours and not the provider's."""
    if workflow.mode is Mode.LOCAL:
        known = PAYLOADS.get(workflow.operation)
        return None if known is None else sorted(known)
    if workflow.mode is not Mode.SYNC or workflow.response.decode is not None:
        return None
    of_page = PAGE_PAYLOAD | {HTML} if workflow.response.with_html else PAGE_PAYLOAD
    ours = {"text": TEXT_PAYLOAD, "page": of_page, "map": MAP_PAYLOAD}.get(workflow.response.format)
    return None if ours is None else sorted(ours)


def _emitted(workflow: WorkflowDefinition) -> Iterator[Fault]:
    """What tells emitted objects apart has to be one of their keys."""
    keys = emitted_by(workflow)
    if workflow.emits is None or not keys:
        return
    for name in sorted(_names(workflow.emits.key)):
        if name not in keys:
            yield Fault(("emits", "key"), f"the emitted objects have no {name!r}: {instead(name, sorted(keys))}")


def _names(expression: str | None) -> set[str]:
    if expression is None:
        return set()
    try:
        return names_in(Expression(expression, "").tree)
    except ConfigurationError:
        return set()


def _not_before(name: str, available: Iterable[str], later: Iterable[WorkflowDefinition]) -> str:
    behind = [step.slug for step in later if name in given_by(step)]
    if behind:
        return f"reads {name!r}, which {behind[0]} gives only after it: move that step before this one"
    remedy = "if it may be missing, name it under `uses`"
    near = did_you_mean(name, available)
    return f"reads {name!r}, which no upload and no earlier step gives{near or f' ({remedy})'}"


__all__ = ["PLATFORM", "Fault", "column_faults", "name_faults", "name_warnings", "pipeline_faults"]
