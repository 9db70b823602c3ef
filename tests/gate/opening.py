"""For tests of what goes out: the gate lets everybody through who has not said no."""

from __future__ import annotations

from enrichment_assets.domain.gate.rules import RULES
from enrichment_assets.services.deliveries.gate_rules import set_rule
from enrichment_assets.store.hq import Hq
from tests.actors import TESTER


def open_gate(hq: Hq, client: str = "acme") -> None:
    """Switch off every rule of a client that can be."""
    for rule, declared in RULES.items():
        if not declared.fixed:
            set_rule(hq, client, rule.value, {"on": "false"}, actor=TESTER)
