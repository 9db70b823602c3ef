"""ClickUp's refusals: `{"err", "ECODE"}` with a status.

Codes and statuses are from reports of the field (PROVIDERS: ClickUp): a missing permission is a **401** like a bad
token, told apart by its code; a drop-down's label in place of an id is `FIELD_011`; a field that is no UUID
`FIELD_057`; a used-up plan `FIELD_033`.
"""

from __future__ import annotations

from enrichment_assets.sandbox.exchange import Refusal, Reply, json_reply


def error(status: int, code: str, message: str) -> Reply:
    """An error's answer."""
    return json_reply(status, {"err": message, "ECODE": code})


def refused(status: int, code: str, message: str) -> Refusal:
    """The same, to be raised."""
    return Refusal(error(status, code, message))


def no_task() -> Refusal:
    """A task that never was, or was deleted."""
    return refused(404, "ITEM_013", "Task not found, deleted")


def no_access() -> Refusal:
    """A missing permission: 401, though the token is good."""
    return refused(401, "ACCESS_083", "You do not have access to this location")


def wrong(message: str, code: str = "INPUT_003") -> Refusal:
    """A value that is not taken."""
    return refused(400, code, message)
