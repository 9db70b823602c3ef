"""Changes: who did what, when, to what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.store.audit import operator_actions


@dataclass(frozen=True, slots=True)
class OperatorAction(Shape):
    """One change that a person, a schedule, a sensor or a key made.

    Attributes:
        id: Its number; later ones have higher ones.
        at: When.
        actor: Who, as `cli:ada` or `sensor:inbox`.
        action: What was done, as `budget.set`: [operations](operations.md#who-changed-what) lists them.
        client: Whom it concerns; null: no client, or one that was removed since.
        batch: Which batch it concerns; null: none, or one that was removed since.
        kind: What was changed: `client`, `workflow`, `pipeline`, `upload`, `batch`, `budget`, `callback`, `lead`,
            `user` or `api_key`.
        name: Which one: its slug or key; of uploads, callbacks and leads the number.
        before: What it was, as far as it changed; null: it is new.
        after: What it is then, as far as it changed; null: it is gone.
    """

    id: int
    at: datetime
    actor: str
    action: str
    client: str | None
    batch: str | None
    kind: str
    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @classmethod
    def of(cls, found: operator_actions.OperatorAction) -> OperatorAction:
        """From what the services return."""
        return cls(
            found.id,
            found.at,
            found.actor,
            found.action,
            found.client,
            found.batch,
            found.kind,
            found.name,
            found.before,
            found.after,
        )
