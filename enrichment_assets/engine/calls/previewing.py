"""A request as it would leave, for a person to look at: every secret is the name of its variable. Nothing is sent."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace

from enrichment_assets.domain.provider import RenderedRequest
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition
from enrichment_assets.engine.calls.attempt import CALLBACKS
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.store.runs.contexts import LoadedItem
from enrichment_assets.wire.secrets import optional_purposes, secret_names

TOKEN = "(token)"  # noqa: S105 - stands for one
"""Stands for what names the call in the address that is to be called back."""

CALL_KEY = "(key of the call)"
"""Stands for the key by which the provider knows a repetition."""

_BASIC = "Basic "


def named_secrets(workflow: WorkflowDefinition, environment: Mapping[str, str]) -> dict[str, str]:
    """Purpose -> `${VARIABLE}` of what a call of this workflow sends; what it can do without only where it is set."""
    optional = optional_purposes(workflow)
    return {
        purpose: f"${{{name}}}"
        for purpose, name in secret_names(workflow).items()
        if environment.get(name) or purpose not in optional
    }


def preview(
    batch: Batch, item: LoadedItem, step: Step, receiver_url: str, environment: Mapping[str, str]
) -> RenderedRequest:
    """The request that a step would make for an item by itself.

    Args:
        batch: The batch, or what stands for one that is not there yet.
        item: With its fields.
        step: Prepared; its secrets are not looked at.
        receiver_url: Where callbacks go.
        environment: Which variables are set.

    Raises:
        ContractError: The item cannot be put into the request.
        ConfigurationError: There is no address.
    """
    token = {"callback_url": f"{receiver_url}{CALLBACKS}{TOKEN}"} if step.workflow.mode is Mode.ASYNC else {}
    rendered = step.render(batch.item_context(item, step, **token))
    named = replace(step, secrets=named_secrets(step.workflow, environment))
    request = named.authorised(rendered)
    headers = {name: _readable(text) for name, text in request.headers.items()}
    if step.workflow.idempotency_header:
        headers[step.workflow.idempotency_header] = CALL_KEY
    return replace(request, headers=headers)


def _readable(value: str) -> str:
    """A header's value; user and password of basic authentication as they are before they are encoded."""
    if not value.startswith(_BASIC):
        return value
    try:
        pair = base64.b64decode(value.removeprefix(_BASIC), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return value
    return f"{_BASIC}({pair})"
