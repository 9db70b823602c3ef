"""The route by which chosen steps are asked about chosen leads."""

from __future__ import annotations

from enrichment_assets.services.operations.asking import Wanted, ask_chosen, plan_asking
from enrichment_assets.services.shapes.asking import Asking
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid


def ask(call: Call) -> Asking:
    """Have steps asked about leads, or say what that would come to."""
    workflows, items = call.texts("workflows", needed=True), numbers(call.texts("items"))
    where, seen = call.texts("where"), call.whole("seen")
    again, dry_run = call.text("again") or "no", call.text("dry_run") or "no"
    call.checked("workflows", "items", "where", "again", "dry_run", "seen")
    for name, value in (("again", again), ("dry_run", dry_run)):
        if value not in ("yes", "no"):
            raise invalid(**{name: "is yes or no"})
    wanted = Wanted(workflows, items or None, where, again == "yes")
    key = call.path["batch"]
    if dry_run == "yes":
        return Asking.of(plan_asking(call.hq, call.settings, key, wanted))
    return Asking.of(ask_chosen(call.hq, call.settings, key, wanted, actor=call.known.actor, seen=seen))


def numbers(texts: list[str]) -> list[int]:
    """Numbers of items. Raises the 422."""
    if any(not (text.isascii() and text.isdecimal() and len(text) < 19) for text in texts):
        raise invalid(items="are numbers of items")
    return [int(text) for text in texts]
