"""What can be wrong with a workflow's `bulk` beyond templates and expressions that do not compile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from enrichment_assets.domain.bulk import Bulk, Match
from enrichment_assets.domain.bulk_requests import MEMBERS, OF_THE_CALL
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.expression_trees import plain_path
from enrichment_assets.domain.expressions import Expression
from enrichment_assets.domain.name_checks import Fault
from enrichment_assets.domain.reads import Read, reads_of
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition


def bulk_faults(workflow: WorkflowDefinition) -> Iterator[Fault]:
    """Each with the place where it stands; nothing where there is no `bulk`."""
    bulk = workflow.bulk
    if bulk is None:
        return
    if workflow.mode is Mode.LOCAL or workflow.request is None:
        yield Fault(("bulk",), "a local workflow sends nothing: there is no call that items could share")
        return
    if workflow.request.body_format != "json":
        yield Fault(("request", "body_format"), "members are a JSON list: a request with `bulk` is `json`")
    if workflow.response.format != "json":
        yield Fault(("response", "format"), "an answer for many members is JSON, and each reads its element of it")
    if bulk.cost is not None and workflow.response.cost is not None:
        yield Fault(("bulk", "cost"), "the call's cost or each member's (`response.cost`): one of them is counted")
    if bulk.unlisted is not None and bulk.match == "position":
        yield Fault(("bulk", "unlisted"), "by `position` each member has its place: none is missing from the answers")
    reads = reads_of(workflow)
    yield from _reads_of_one(reads)
    if not any(read.head == MEMBERS and read.place[:2] == ("request", "body") for read in reads):
        yield Fault(
            ("request", "body"), "nothing puts the members into the request: write `{{ members }}` for the list"
        )
    if not any(read.place[0] == "bulk" for read in reads):
        yield Fault(("bulk", "member"), "it is the same for every item: no field of an item is in it")
    yield from _sent_faults(bulk)


def _reads_of_one(reads: list[Read]) -> Iterator[Fault]:
    """A request for many has no field of one."""
    for read in reads:
        if read.place[0] in ("request", "poll") and read.head not in OF_THE_CALL:
            name = ".".join(read.names)
            yield Fault(
                read.place, f"one request carries many items, and {name!r} is one item's: it belongs in bulk.member"
            )


def _sent_faults(bulk: Bulk) -> Iterator[Fault]:
    """The id that is sent has to be a part of the member."""
    if not isinstance(bulk.match, Match):
        return
    try:
        path = plain_path(Expression(bulk.match.sent, "").tree)
    except ConfigurationError:
        return  # said where expressions are compiled
    node: Any = bulk.member
    for name in path or ():
        node = node.get(name) if isinstance(node, Mapping) else None
    if path is not None and node is None:
        yield Fault(("bulk", "match", "sent"), f"bulk.member has no {bulk.match.sent!r}")
