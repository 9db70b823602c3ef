"""Rendering a request that carries many items: each item's member by itself, then the request around them. Pure.

A member is rendered from one item alone and never sees another's fields; the request around them sees no item's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.bulk import Bulk, Match
from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.expressions import Expression, blank
from enrichment_assets.domain.provider import RenderedRequest
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.domain.workflow import WorkflowDefinition

MEMBERS = "members"
"""What templates of the request call the list of members."""

OF_THE_CALL = (MEMBERS, "parameters", "callback_url", "external_id", "secrets", "lookups", "target")
"""Names that belong to a request for many; any other is one item's."""

MAX_NAME = 1_000
"""Characters of an id by which a member is found again."""


@dataclass(frozen=True, slots=True)
class RenderedMember:
    """What a request has of one item. `name`: the id that comes back with its answer; None: its place is its name."""

    value: Any
    name: str | None = None


class BulkRenderer(RequestRenderer):
    """Renders members, and the request of one or many of them.

    Raises:
        ConfigurationError: A template or expression cannot be compiled; names workflow and field.
    """

    def __init__(self, workflow: WorkflowDefinition) -> None:
        super().__init__(workflow)
        bulk = bulk_of(workflow)
        self._member = self._node("bulk.member", bulk.member)
        self._sent = (
            Expression(bulk.match.sent, f"workflow {workflow.slug}, bulk.match.sent")
            if isinstance(bulk.match, Match)
            else None
        )

    def member(self, context: Mapping[str, Any]) -> RenderedMember:
        """One item's part of the request.

        Args:
            context: As in `render`.

        Raises:
            ContractError: This item cannot be put into the request; names workflow and field, quotes no data.
        """
        value = self._evaluate("bulk.member", self._member, context)
        if blank(value):
            raise ContractError(
                f"workflow {self._slug}, bulk.member: nothing of this item is in it", code="request.member_empty"
            )
        return RenderedMember(value, None if self._sent is None else self._name(self._sent(value)))

    def render(self, context: Mapping[str, Any]) -> RenderedRequest:
        """The request for this item alone."""
        return self.render_call([self.member(context)], context)

    def render_call(self, members: Sequence[RenderedMember], context: Mapping[str, Any]) -> RenderedRequest:
        """The request for these members, in their order.

        Args:
            members: At least one.
            context: `parameters` and `callback_url`; what it has of an item is not looked at.

        Raises:
            ContractError: They make no request together, for example one that is too large.
        """
        call = {name: context[name] for name in OF_THE_CALL if name in context}
        return super().render({**call, MEMBERS: [member.value for member in members]})

    def _name(self, value: Any) -> str:
        name = text_of_name(value)
        if name is None or len(name) > MAX_NAME or "\0" in name:
            raise ContractError(
                f"workflow {self._slug}, bulk.match.sent: gives no id for this item", code="request.member_nameless"
            )
        return name


def bulk_of(workflow: WorkflowDefinition) -> Bulk:
    """The setting; raises `ConfigurationError` where a workflow has none."""
    if workflow.bulk is None:
        raise ConfigurationError(f"workflow {workflow.slug}: has no `bulk`", code="workflow.no_bulk")
    return workflow.bulk


def text_of_name(value: Any) -> str | None:
    """An id as text, whether it is written as a text or a number; None: it is no id."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return str(value).strip() or None
