"""What people, schedules and keys change: the codes of their actions, and what is kept of before and after.

What the engine does when it carries a batch out is no action: the ledger and the log of attempts hold that.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

from enrichment_assets.domain.literal_keys import looks_like_key
from enrichment_assets.domain.money import Money

LARGEST = 8_000
"""Bytes of JSON that are kept of a before or an after; of more its keys, size and hash are."""

LONGEST_TEXT = 500
LONGEST_LIST = 50
HIDDEN = "(hidden)"
"""Stands for a value that looks like a key."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


class Code(StrEnum):
    """What was done. The code is `noun.verb`, and stays."""

    CLIENT_ADD = "client.add"
    CLIENT_CONFIG = "client.config"
    CLIENT_PROFILE = "client.profile"
    CLIENT_WEIGHT = "client.weight"
    CLIENT_GRANT_READER = "client.grant_reader"
    CLIENT_REVOKE_READER = "client.revoke_reader"
    CLIENT_ARCHIVE = "client.archive"
    CLIENT_RESTORE = "client.restore"
    CLIENT_REMOVE = "client.remove"
    WORKFLOW_SAVE = "workflow.save"
    WORKFLOW_ENABLE = "workflow.enable"
    WORKFLOW_DISABLE = "workflow.disable"
    WORKFLOW_ARCHIVE = "workflow.archive"
    WORKFLOW_RESTORE = "workflow.restore"
    WORKFLOW_REMOVE = "workflow.remove"
    PIPELINE_SAVE = "pipeline.save"
    PIPELINE_ARCHIVE = "pipeline.archive"
    PIPELINE_RESTORE = "pipeline.restore"
    PIPELINE_REMOVE = "pipeline.remove"
    UPLOAD_ADD = "upload.add"
    UPLOAD_ARCHIVE = "upload.archive"
    UPLOAD_RESTORE = "upload.restore"
    UPLOAD_REMOVE = "upload.remove"
    BATCH_LAUNCH = "batch.launch"
    BATCH_TRY = "batch.try"
    BATCH_EXTEND = "batch.extend"
    BATCH_PRIORITY = "batch.priority"
    BATCH_GIVE_UP = "batch.give_up"
    BATCH_PAUSE = "batch.pause"
    BATCH_RESUME = "batch.resume"
    BATCH_CANCEL = "batch.cancel"
    BATCH_RETRY = "batch.retry"
    BATCH_ASK = "batch.ask"
    BATCH_RESOLVE = "batch.resolve"
    BATCH_REPLAY = "batch.replay"
    BATCH_ARCHIVE = "batch.archive"
    BATCH_RESTORE = "batch.restore"
    BATCH_REMOVE = "batch.remove"
    BUDGET_SET = "budget.set"
    BUDGET_REMOVE = "budget.remove"
    CALLBACK_REPLAY = "callback.replay"
    SUPPRESSION_ADD = "suppression.add"
    SUPPRESSION_IMPORT = "suppression.import"
    SUPPRESSION_REMOVE = "suppression.remove"
    ALERT_ADD = "alert.add"
    ALERT_REMOVE = "alert.remove"
    PERSON_EXPORT = "person.export"
    PERSON_ERASE = "person.erase"
    LEAD_EDIT = "lead.edit"
    LEAD_FRESHNESS = "lead.freshness"
    REVIEW_APPROVE = "review.approve"
    REVIEW_REJECT = "review.reject"
    REVIEW_EDIT = "review.edit"
    REVIEW_ANSWER = "review.answer"
    PROPOSAL_ACCEPT = "proposal.accept"
    PROPOSAL_REJECT = "proposal.reject"
    LEAD_ADD = "lead.add"
    SOURCE_ADD = "source.add"
    SOURCE_PAUSE = "source.pause"
    SOURCE_RESUME = "source.resume"
    SOURCE_REMOVE = "source.remove"
    SOURCE_TAKE = "source.take"
    WEBHOOK_ADD = "webhook.add"
    WEBHOOK_ROTATE = "webhook.rotate"
    WEBHOOK_ENABLE = "webhook.enable"
    WEBHOOK_DISABLE = "webhook.disable"
    WEBHOOK_RECOVER = "webhook.recover"
    WEBHOOK_REMOVE = "webhook.remove"
    MAILBOX_ADD = "mailbox.add"
    MAILBOX_PAUSE = "mailbox.pause"
    MAILBOX_RESUME = "mailbox.resume"
    MAILBOX_SET = "mailbox.set"
    EVENT_SOURCE_ADD = "event_source.add"
    EVENT_SOURCE_ROTATE = "event_source.rotate"
    EVENT_SOURCE_PAUSE = "event_source.pause"
    EVENT_SOURCE_RESUME = "event_source.resume"
    EVENT_SOURCE_REMOVE = "event_source.remove"
    EVENT_REPLAY = "event.replay"
    MAIL_CHECK = "mail.check"
    MAIL_ACCEPT = "mail.accept"
    GATE_SET = "gate.set"
    GATE_PASS = "gate.pass"  # noqa: S105 - a word, not a secret
    GATE_LIST = "gate.list"
    CONSENT_RECORD = "consent.record"
    CONSENT_WITHDRAW = "consent.withdraw"
    CONTACT_STOP = "contact.stop"
    CONTACT_LIFT = "contact.lift"
    PULL_CONNECT = "pull.connect"
    PULL_DISCONNECT = "pull.disconnect"
    PULL_FILE = "pull.file"
    CAMPAIGN_CREATE = "campaign.create"
    CAMPAIGN_LAUNCH = "campaign.launch"
    CAMPAIGN_ACTIVATE = "campaign.activate"
    USER_ADD = "user.add"
    USER_ROLE = "user.role"
    USER_DISABLE = "user.disable"
    USER_ENABLE = "user.enable"
    USER_RESET = "user.reset"
    USER_PASSWORD = "user.password"  # noqa: S105 - a word, not a secret
    USER_TOTP = "user.totp"
    API_KEY_CREATE = "api_key.create"
    API_KEY_REVOKE = "api_key.revoke"
    DELIVERY_START = "delivery.start"
    DELIVERY_STOP = "delivery.stop"
    DELIVERY_RESOLVE = "delivery.resolve"
    RETENTION_RUN = "retention.run"
    ORGANISATION_JOIN = "organisation.join"
    ORGANISATION_PART = "organisation.part"
    ORGANISATION_UNDO = "organisation.undo"
    AUTOMATION_ON = "automation.on"
    AUTOMATION_OFF = "automation.off"


def kept(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A before or an after as it is kept: bounded, and without anything that looks like a secret.

    Texts over 500 characters and lists over 50 members are cut, and say so. What is more than 8,000 bytes even then is
    kept as `{"too_large": bytes, "sha256": ..., "keys": [...]}`.
    """
    if value is None:
        return None
    bounded = {str(key): _bounded(str(key), member) for key, member in value.items()}
    text = json.dumps(bounded, sort_keys=True)
    if len(text.encode()) <= LARGEST:
        return bounded
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"too_large": len(text.encode()), "sha256": digest, "keys": _list([key[:80] for key in sorted(bounded)])}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of two mappings differs, each side with its own values; a key that one side lacks is missing there."""
    changed = [key for key in {**before, **after} if before.get(key, ...) != after.get(key, ...)]
    return {k: before[k] for k in changed if k in before}, {k: after[k] for k in changed if k in after}


def _bounded(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        if name == "secrets":
            return {str(purpose): _variable(variable) for purpose, variable in value.items()}
        return {str(key)[:LONGEST_TEXT]: _bounded(str(key), member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return _list([_bounded(name, member) for member in value])
    if isinstance(value, str):
        return HIDDEN if looks_like_key(name, value) else _text(value)
    if isinstance(value, Decimal):
        return Money(value, "").shown()
    return value if value is None or isinstance(value, bool | int | float) else _text(str(value))


def _variable(name: Any) -> str:
    """The NAME of a variable; what is none may be the secret itself."""
    return name if isinstance(name, str) and _VARIABLE.fullmatch(name) else HIDDEN


def _list(members: list[Any]) -> list[Any]:
    more = len(members) - LONGEST_LIST
    return members if more <= 0 else [*members[:LONGEST_LIST], f"... and {more} more"]


def _text(value: str) -> str:
    """The text without what Postgres cannot hold, cut where it is long."""
    plain = value.replace("\x00", "")
    return plain if len(plain) <= LONGEST_TEXT else f"{plain[: LONGEST_TEXT - 1]}…"
