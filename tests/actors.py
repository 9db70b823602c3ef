"""Who changes something in the tests."""

from __future__ import annotations

from enrichment_assets.domain.actors import Actor, ActorKind

TESTER = Actor(ActorKind.CLI, "tester")
