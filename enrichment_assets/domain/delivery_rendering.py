"""What of a lead goes to a destination, as values: the fields by their remote names, and the place that is meant.

Pure, and compiled once per run. Requests are rendered by `domain.templating`, which sees what is made here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.deliveries import Delivery
from enrichment_assets.domain.drafts import draft_bytes
from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.expressions import blank
from enrichment_assets.domain.template_expressions import Evaluate, TemplateError, as_text, compile_text, parse
from enrichment_assets.domain.workflow import WorkflowDefinition

LONGEST_TARGET = 500


def delivery_of(workflow: WorkflowDefinition) -> Delivery:
    """The part of a workflow that makes it a delivery; raises `ConfigurationError` where it has none."""
    if workflow.delivery is None:
        raise ConfigurationError(f"workflow {workflow.slug} is no delivery", code="workflow.no_delivery")
    return workflow.delivery


class FieldRenderer:
    """Renders `delivery.fields` of one lead.

    Raises:
        ConfigurationError: A template cannot be compiled; names workflow and field.
    """

    def __init__(self, workflow: WorkflowDefinition) -> None:
        self._slug = workflow.slug
        self._fields: list[tuple[str, str | None, Evaluate | str | None]] = [
            (name, one.source, None if one.value is None else compiled(workflow.slug, f"fields.{name}", one.value))
            for name, one in delivery_of(workflow).fields.items()
        ]

    def render(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """Remote name -> value; a field without a value is null, so that it can be emptied there.

        Raises:
            ContractError: A template fails for this lead; names workflow and field, quotes no data.
        """
        found: dict[str, Any] = {}
        for name, source, template in self._fields:
            value = (
                context.get(source)
                if source is not None
                else evaluated(self._slug, f"fields.{name}", template, context)
            )
            found[name] = None if blank(value) else value
        return found


class TargetRenderer:
    """Renders `delivery.target`: the list, campaign or folder that is meant, as a text.

    Raises:
        ConfigurationError: The template cannot be compiled.
    """

    def __init__(self, workflow: WorkflowDefinition) -> None:
        self._slug = workflow.slug
        self._template = compiled(workflow.slug, "target", delivery_of(workflow).target)

    def render(self, context: Mapping[str, Any]) -> str:
        """The target; raises `ContractError` where it fails for this lead, or is longer than 500 characters."""
        text = as_text(evaluated(self._slug, "target", self._template, context)).strip()
        if len(text) > LONGEST_TARGET or "\0" in text:
            raise ContractError(
                f"workflow {self._slug}, delivery.target: longer than {LONGEST_TARGET} characters",
                code="delivery.target_long",
            )
        return text


def content_hash(values: Mapping[str, Any]) -> bytes:
    """SHA-256 of what a lead says to a destination; a value that is missing and one that is null are the same."""
    return hashlib.sha256(draft_bytes(values)).digest()


def compiled(slug: str, field: str, text: str) -> Evaluate | str:
    """A text of a delivery that may be a template; raises `ConfigurationError` that names its place."""
    try:
        return compile_text(parse(text), text)
    except (TemplateError, ValueError) as error:
        raise ConfigurationError(
            f"workflow {slug}, delivery.{field}: {text!r}: {error}", code="delivery.template_invalid"
        ) from error


def evaluated(slug: str, field: str, template: Evaluate | str | None, context: Mapping[str, Any]) -> Any:
    """Its value for one lead; raises `ContractError` where the template fails, which quotes no data."""
    if not callable(template):
        return template
    try:
        return template(context)
    except ContractError:
        raise
    except Exception as error:  # Jinja2 raises anything that an expression can
        raise ContractError(
            f"workflow {slug}, delivery.{field}: the template failed for this lead ({type(error).__name__})",
            code="delivery.template_failed",
        ) from None
