"""Routes of what a client has otherwise: settings of workflows, rules of the gate, its profile, its budgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.services.batches.foresight import next_runner
from enrichment_assets.services.catalog import configuration, profiles
from enrichment_assets.services.deliveries import gate_rules
from enrichment_assets.services.operations import budgeting
from enrichment_assets.services.shapes import catalog as shapes
from enrichment_assets.services.shapes.configs import WorkflowConfig
from enrichment_assets.services.shapes.gate import GateRule
from enrichment_assets.services.shapes.operations import Budget, BudgetChange
from enrichment_assets.services.shapes.shape import Shape
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.paging import NAMES, asked_page
from enrichment_assets.web.api.preconditions import Versioned


def configs(call: Call) -> Mapping[str, Any]:
    """What a client overrides, by workflow; workflows in which it overrides nothing are left out."""
    asked = asked_page(call)
    call.checked(*NAMES)
    found = configuration.get_client_configs(call.hq, call.path["client"]).items()
    return asked.of(found, lambda one: (one[0],), lambda one: WorkflowConfig.of(*one))


def config(call: Call) -> Versioned:
    """What a client overrides in one workflow."""
    call.checked()
    slug = call.path["workflow"]
    found = configuration.get_client_config(call.hq, call.path["client"], slug)
    return Versioned(WorkflowConfig.of(slug, found), found.seen_as)


def set_config(call: Call) -> Versioned:
    """Change what a client overrides in one workflow: what is not named stays as it is."""
    values, secrets, unset, enabled = (
        call.values("set"),
        call.words("secrets"),
        call.texts("unset"),
        call.flag("enabled"),
    )
    call.checked("set", "secrets", "unset", "enabled")
    slug = call.path["workflow"]
    found = configuration.set_client_config(
        call.hq,
        call.settings,
        call.path["client"],
        slug,
        actor=call.known.actor,
        set_values=values,
        secrets=secrets,
        unset=unset,
        enabled=enabled,
        environment=next_runner(call.settings).variables,
        seen=call.seen,
    )
    return Versioned(WorkflowConfig.of(slug, found), found.seen_as)


def gate(call: Call) -> Versioned:
    """Every rule of the send gate as it is in force for a client."""
    asked = asked_page(call)
    call.checked(*NAMES)
    client = call.path["client"]
    found = gate_rules.show_rules(call.hq, client)
    shown = asked.of(found, lambda one: (one.rule.value,), GateRule.of)
    return Versioned(shown, gate_rules.rules_version(call.hq, client))


def set_rule(call: Call) -> Versioned:
    """Change a rule of the send gate for a client: switch it, or change its settings."""
    given = call.words("set")
    call.checked("set")
    client = call.path["client"]
    found = gate_rules.set_rule(call.hq, client, call.path["gate_rule"], given, actor=call.known.actor, seen=call.seen)
    return Versioned(GateRule.of(found), gate_rules.rules_version(call.hq, client))


def profile(call: Call) -> Versioned:
    """What a client offers, as prompts see it."""
    call.checked()
    client = call.path["client"]
    found = profiles.get_profile(call.hq, client)
    return Versioned(shapes.ClientProfile.of(client, found), found.content_hash)


def set_profile(call: Call) -> Versioned:
    """Change what a client offers; null takes a value out. Batches that were launched keep theirs."""
    values = call.values("set", needed=True)
    call.checked("set")
    client = call.path["client"]
    found, _ = profiles.set_profile(call.hq, client, actor=call.known.actor, values=values, seen=call.seen)
    return Versioned(shapes.ClientProfile.of(client, found), found.content_hash)


def budgets(call: Call) -> Mapping[str, Any]:
    """What a client may spend."""
    asked = asked_page(call)
    call.checked(*NAMES)
    found = budgeting.list_budgets(call.hq, call.path["client"])
    return asked.of(found, lambda one: (one.batch or "", one.workflow or ""), Budget.of)


def set_budget(call: Call) -> Shape:
    """Set what a client may spend; what waited for it goes on."""
    amount, batch, workflow = call.text("amount", needed=True), call.text("batch"), call.text("workflow")
    call.checked("amount", "batch", "workflow")
    report = budgeting.set_budget(
        call.hq, call.path["client"], amount or "", actor=call.known.actor, batch=batch, workflow=workflow
    )
    return BudgetChange.of(report)
