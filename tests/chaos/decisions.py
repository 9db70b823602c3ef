"""What people decide while processes die: to pause, go on, cancel, take that back, and never to call somebody.

A decision is made by the same service as its command's, in a process that may be killed as well. `DECISIONS` is the
list: a new kind of decision is a function here and a name in it; services are called through their modules, where a
fault may have been armed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from enrichment_assets.domain.suppression import read_identity
from enrichment_assets.services.operations import asking, holding, retrying
from enrichment_assets.services.people import suppressing
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from tests.actors import TESTER


def _pause(hq: Hq, _settings: Settings, batch: str, *, workflow: str | None = None) -> int:
    holding.pause(hq, batch, actor=TESTER, workflow=workflow)
    return 0


def _resume(hq: Hq, _settings: Settings, batch: str) -> int:
    holding.resume(hq, batch, actor=TESTER)
    return 0


def _cancel(hq: Hq, _settings: Settings, batch: str, *, workflow: str | None = None) -> int:
    """How many calls were under way: no more of them are charged from now on."""
    return sum(one.calls for one in holding.cancel(hq, batch, actor=TESTER, workflow=workflow).under_way)


def _retry(hq: Hq, settings: Settings, batch: str, *, workflow: str | None = None) -> int:
    retrying.retry(hq, settings, batch, actor=TESTER, workflow=workflow)
    return 0


def _ask(hq: Hq, settings: Settings, batch: str, *, workflow: str = "plain") -> int:
    asking.ask_chosen(hq, settings, batch, asking.Wanted([workflow]), actor=TESTER)
    return 0


def _suppress(hq: Hq, settings: Settings, _batch: str, *, email: str) -> int:
    suppressing.suppress(hq, settings, read_identity(email), suppressing.Terms("said no"), actor=TESTER)
    return 0


DECISIONS: Mapping[str, Callable[..., int]] = {
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "retry": _retry,
    "ask": _ask,
    "suppress": _suppress,
}
"""By what a decision is called: how it is made; what it returns counts for a cancellation alone."""


def decide(hq: Hq, settings: Settings, batch: str, what: str, arguments: Mapping[str, Any]) -> int:
    """Make one decision about a batch."""
    return DECISIONS[what](hq, settings, batch, **arguments)
