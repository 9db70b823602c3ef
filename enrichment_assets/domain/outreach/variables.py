"""What a delivery sends of a lead, as the mails of a campaign name it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from enrichment_assets.domain.outreach.campaigns import OWN_VARIABLES, CampaignFile
from enrichment_assets.domain.outreach.instantly_events import FIXED
from enrichment_assets.domain.workflow import WorkflowDefinition


def unsent_variables(campaign: CampaignFile, workflow: WorkflowDefinition) -> set[str]:
    """The variables of a campaign's mails that a delivery does not send. Instantly looks at letters' case."""
    return set(campaign.variables) - set(sent_variables(workflow))


def sent_variables(workflow: WorkflowDefinition) -> Iterator[str]:
    """What a delivery to Instantly says of a lead, by the names that mails use: `firstName` for `first_name`."""
    member = workflow.bulk.member if workflow.bulk is not None else None
    if not isinstance(member, Mapping):
        return
    for name in member:
        variable = _camel(name)
        if variable in OWN_VARIABLES:
            yield variable
    yield from custom_variables(member)


def needed_columns(campaign: CampaignFile, workflow: WorkflowDefinition) -> list[str]:
    """The columns without which a mail of the campaign would have a hole, where a variable is one column's value."""
    member = workflow.bulk.member if workflow.bulk is not None else None
    if not isinstance(member, Mapping):
        return []
    custom = member.get("custom_variables")
    said = {_camel(name): value for name, value in member.items()} | (custom if isinstance(custom, dict) else {})
    columns = (_COLUMN.fullmatch(str(said.get(name))) for name in campaign.needed_variables)
    return sorted({found.group(1) for found in columns if found is not None})


_COLUMN = re.compile(r"\{\{\s*([a-z_][a-z0-9_]*)\s*\}\}")
"""A template that is a column and nothing else; what any other makes of an empty one is its own affair."""


def custom_variables(member: Mapping[str, Any]) -> list[str]:
    """The names that a delivery makes up."""
    custom = member.get("custom_variables")
    return [str(name) for name in custom] if isinstance(custom, Mapping) else []


def colliding_variables(workflow: WorkflowDefinition) -> list[str]:
    """Made-up names that Instantly's webhooks use for themselves: nobody knows which of the two values comes then."""
    member = workflow.bulk.member if workflow.bulk is not None else None
    return [name for name in custom_variables(member) if name in FIXED] if isinstance(member, Mapping) else []


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
