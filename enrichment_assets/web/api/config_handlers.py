"""Routes of what a client has otherwise: settings of workflows, rules of the gate, its profile, its budgets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from enrichment_assets.domain.versions import version_of
from enrichment_assets.services.batches.foresight import next_runner
from enrichment_assets.services.catalog import configuration, profiles
from enrichment_assets.services.deliveries import gate_rules
from enrichment_assets.services.operations import budgeting
from enrichment_assets.services.shapes import catalog as shapes
from enrichment_assets.services.shapes.configs import WorkflowConfig
from enrichment_assets.services.shapes.gate import GateRule
from enrichment_assets.services.shapes.operations import Budget, BudgetChange
from enrichment_assets.store.money.budgets import Budget as StoredBudget
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


def budgets(call: Call) -> Versioned:
    """What a client may spend."""
    asked = asked_page(call)
    call.checked(*NAMES)
    found = budgeting.list_budgets(call.hq, call.path["client"])
    shown = asked.of(found, lambda one: (one.batch or "", one.workflow or ""), Budget.of)
    return Versioned(shown, _budgets_version(found))


def set_budget(call: Call) -> Versioned:
    """Set what a client may spend; what waited for it goes on."""
    amount, batch, workflow = call.text("amount", needed=True), call.text("batch"), call.text("workflow")
    call.checked("amount", "batch", "workflow")
    client, actor, seen = call.path["client"], call.known.actor, call.seen
    if seen is not None:  # of the tag only what people set: what is spent meanwhile makes nobody late
        seen = replace(seen, versions=frozenset(version.partition(".")[0] for version in seen.versions))
    report = budgeting.set_budget(call.hq, client, amount or "", actor=actor, batch=batch, workflow=workflow, seen=seen)
    return Versioned(BudgetChange.of(report), _budgets_version(budgeting.list_budgets(call.hq, client)))


def _budgets_version(found: Iterable[StoredBudget]) -> str:
    """Of a list of budgets: what people set, a point, and what was spent of it, which the list shows too."""
    found = list(found)
    return f"{budgeting.seen_as(found)}.{version_of([[str(one.spent), str(one.reserved)] for one in found])}"
