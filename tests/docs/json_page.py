"""`docs/json.md`, written from the shapes: `python -m tests.docs.json_page` writes it again."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from enrichment_assets.domain.hints import Hint
from enrichment_assets.services import shapes
from enrichment_assets.services.shapes.shape import Shape
from tests.docs.pages import REPOSITORY

PAGE = REPOSITORY / "docs" / "json.md"

PRINTED: Mapping[str, str] = {
    "client add": "Client",
    "client list": "list of Client",
    "client weight": "Client",
    "client profile --set": "ClientProfile",
    "client profile": "ClientProfile",
    "client profile --history": "list of ClientProfile",
    "client grant-reader": "ReaderGrant",
    "client readers": "list of Reader",
    "client revoke-reader": "ReaderRevocation",
    "client config": "ClientConfig by workflow",
    "client config --show": "Workflow",
    "workflow list": "list of Workflow",
    "workflow show": "Workflow",
    "workflow processors": "list of WorkflowProcessor",
    "workflow add": "Saved",
    "workflow check": "list of CheckedFile",
    "workflow test CASES": "WorkflowTest",
    "workflow test --record": "RecordedCases",
    "workflow test --replay": "ReplayComparison",
    "pipeline list": "list of Pipeline",
    "pipeline show": "Pipeline",
    "pipeline add": "Saved",
    "budget set": "BudgetChange",
    "budget list": "list of Budget",
    "budget remove": "BudgetChange",
    "upload": "UploadReport",
    "uploads": "list of Upload",
    "rejections": "list of Rejection",
    "lead add": "Job",
    "lead show": "Job",
    "source add": "Source",
    "source add --dry-run": "SourceCheck",
    "source check": "SourceCheck",
    "source list": "list of Source",
    "source look": "SourceLook",
    "source show": "SourceDetail",
    "source pause": "Source",
    "source resume": "Source",
    "source remove": "Source",
    "try": "Try",
    "try --show": "Try",
    "launch --dry-run": "LaunchPlan",
    "launch": "Launch",
    "freshness": "FreshnessPlan",
    "freshness --launch": "list of Launch",
    "discover --dry-run": "LaunchPlan",
    "run": "Batch",
    "deliver --dry-run": "list of LeadDelivery",
    "deliver": "list of LeadDelivery",
    "delivery list": "list of Delivery",
    "delivery show": "DeliveryDetail",
    "delivery stop": "Delivery",
    "delivery resolve": "Delivery",
    "destination list": "list of Destination",
    "destination check": "DestinationCheck",
    "run --dry-run": "ChosenRun",
    "run --where": "ChosenRun",
    "pause": "HoldChange",
    "resume": "HoldChange",
    "cancel": "HoldChange",
    "priority": "Batch",
    "status": "list of Batch",
    "status BATCH": "Batch",
    "status BATCH --failed": "FailedRows",
    "stats": "list of WorkflowStatistics",
    "retry --all-batches": "RetriedBatches",
    "retry": "Retry",
    "ask --dry-run": "Asking",
    "ask": "Asking",
    "resolve": "list of AmbiguousState",
    "resolve --retry": "Resolution",
    "resolve --accept-miss": "Resolution",
    "replay": "Replay",
    "retention": "Retention",
    "callbacks list": "list of Callback",
    "callbacks show": "CallbackDetail",
    "callbacks replay": "CallbackReplay",
    "audit": "list of OperatorAction",
    "user add": "UserSetup",
    "user list": "list of User",
    "user role": "UserChange",
    "user disable": "UserChange",
    "user enable": "UserChange",
    "user reset": "UserSetup",
    "user totp": "TotpSetup",
    "user totp --off": "UserChange",
    "api-key create": "NewApiKey",
    "api-key list": "list of ApiKey",
    "api-key revoke": "KeyChange",
    "explain": "list of LeadField",
    "report": "list of Row",
    "report BATCH": "list of Row by report",
    "worked-at": "list of Row",
    "moves": "list of Row",
    "job-changes": "list of Row",
    "proposals list": "list of SearchProposal",
    "proposals accept": "list of SearchProposal",
    "proposals reject": "list of SearchProposal",
    "review list": "list of Review",
    "review show": "ReviewDetail",
    "review questions": "list of ReviewQuestion",
    "review answer": "ReviewQuestion",
    "review approve": "ReviewChange",
    "review reject": "ReviewChange",
    "review edit": "ReviewDetail",
    "organisation join": "OrganisationDecision",
    "organisation part": "OrganisationDecision",
    "organisation list": "list of OrganisationDecision",
    "organisation undo": "OrganisationDecision",
    "suppress add": "SuppressionChange",
    "suppress import": "SuppressionImport",
    "suppress check": "list of Suppression",
    "suppress list": "list of Suppression",
    "suppress remove": "SuppressionChange",
    "alert add": "list of AlertRule",
    "alert list": "list of AlertRule",
    "alert test": "list of AlertAnswer",
    "alert incidents": "list of AlertIncident",
    "alert channels": "list of AlertChannel",
    "alert remove": "AlertRule",
    "person find": "PersonFound",
    "person export": "PersonExport",
    "person known": "list of KnownPerson",
    "person erase": "Certificate",
    "person erased": "list of Certificate",
    "person certificate": "Certificate",
    "mail preview": "list of Mail",
    "mailbox add": "Mailbox",
    "mailbox list": "list of Mailbox",
    "mailbox show": "Mailbox",
    "gate show": "list of GateRule",
    "gate set": "GateRule",
    "gate list add": "GateList",
    "gate list show": "list of GateEntry",
    "gate list remove": "GateChange",
    "gate pass": "GatePass",
    "gate consent": "GateChange",
    "gate stop": "GateChange",
    "gate go-on": "GateChange",
    "gate stops": "list of ContactStop",
    "events source add": "EventAddress",
    "events source connect": "EventSecret",
    "events source address": "EventAddress",
    "events source list": "list of EventSource",
    "events source pause": "EventSource",
    "events source resume": "EventSource",
    "events source remove": "EventSource",
    "events list": "list of DeliveryEvent",
    "events read": "EventReading",
    "events inbox": "list of EventMessage",
    "events show": "EventMessageDetail",
    "events replay": "EventReplay",
    "mail check": "MailCheck",
    "mail accept": "MailAcceptance",
    "webhook add": "Webhook",
    "webhook list": "list of Webhook",
    "webhook test": "WebhookTest",
    "webhook events": "list of WebhookMessage",
    "webhook send": "WebhookDelivery",
    "webhook disable": "Webhook",
    "webhook enable": "Webhook",
    "webhook rotate": "Webhook",
    "webhook recover": "WebhookRecovery",
    "webhook remove": "Webhook",
    "instantly connect": "PullConnection",
    "instantly list": "list of PullConnection",
    "instantly sync": "PullSync",
    "instantly campaigns": "list of InstantlyCampaign",
    "instantly accounts": "list of InstantlyAccount",
    "campaign create": "Campaign",
    "campaign list": "list of Campaign",
    "campaign show": "Campaign",
    "campaign launch": "LeadDelivery",
    "give-up": "GivenUp",
    "archive": "PutAway",
    "restore": "PutAway",
    "remove": "PutAway",
    "archived": "list of Archived",
}
"""What each command prints with `--json`; one that prints several nouns stands here with what decides it."""

HEAD = """\
# JSON

Every command that has `--json` prints one noun, a list of them, or an object of them by name. The same noun has the
same keys wherever it is shown, in this order; a key is never left out, `null` says that there is nothing.

- Money is text with all of its decimal places (`"1.50"`), and its currency stands beside it in `currency`. Where
  several currencies meet, an object has one sum for each: `{"EUR": "3.00", "USD": "1.50"}`. Amounts of two currencies
  are never added.
- Times are ISO 8601 in UTC: `"2026-11-28T14:30:05.000000Z"`.
- A noun that names another one does so by one word: `client` (its slug), `upload_id`, `batch` (its key), `workflow` and
  `pipeline` (their slugs), `item_id`.
- An error goes to standard error, with the keys that [operations](operations.md#errors-for-programs) shows.

This page is written from the code (`enrichment_assets/services/shapes`) and compared with what each command prints.

## What each command prints

| command | prints |
| --- | --- |
"""


def shape_classes() -> dict[str, type[Shape]]:
    """Every shape by its name, in the order of the modules and of their lines."""
    found = {}
    for module in iter_modules(shapes.__path__):
        members = vars(import_module(f"{shapes.__name__}.{module.name}"))
        found |= {
            name: member
            for name, member in members.items()
            if inspect.isclass(member) and issubclass(member, Shape) and member is not Shape
        }
    return found


def noun(name: str) -> str:
    """`UploadReport` as a page says it: `upload report`."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


def render() -> str:
    """The whole page."""
    rows = "".join(f"| `enrich {command}` | {_printed(what)} |\n" for command, what in PRINTED.items())
    return HEAD + rows + "".join(_section(shape) for shape in (*shape_classes().values(),)) + _hint_section()


def described(shape: type[Shape]) -> dict[str, str]:
    """Key to what it means, from the class's docstring."""
    _, _, attributes = inspect.cleandoc(shape.__doc__ or "").partition("Attributes:\n")
    entries = re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", attributes, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def _printed(what: str) -> str:
    return re.sub(r"[A-Z]\w+", lambda found: _link(found.group()), what)


def _link(name: str) -> str:
    return f"[{noun(name)}](#{noun(name).replace(' ', '-')})"


def _section(shape: type[Shape]) -> str:
    head = inspect.cleandoc(shape.__doc__ or "").partition("\n")[0]
    hints, texts = typing.get_type_hints(shape), described(shape)
    rows = [
        ("its keys" if one.metadata.get("flat") else f"`{one.name}`", _type(hints[one.name]), texts[one.name])
        for one in fields(shape)  # type: ignore[arg-type]
    ]
    table = "".join(f"| {' | '.join(row)} |\n" for row in [("key", "type", "meaning"), ("---",) * 3, *rows])
    return f"\n## {noun(shape.__name__).capitalize()}\n\n{head}\n\n{table}"


def _hint_section() -> str:
    return """
## Hint

What helps, as data and in the words of whoever is asked.

| key | type | meaning |
| --- | --- | --- |
| `action` | text | what to do, a stable name |
| `arguments` | object of text | with which client, batch, workflow, file ... |
| `text` | text | the same as a sentence, here of the command line |
"""


_NAMES = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Decimal: "money",
    datetime: "time",
    type(None): "null",
    Any: "any",
}


def _type(hint: Any) -> str:
    """A type as the page says it."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Hint:
        return "[hint](#hint)"
    if hint in _NAMES:
        return _NAMES[hint]
    if isinstance(hint, type) and issubclass(hint, Shape):
        return _link(hint.__name__)
    if isinstance(hint, types.UnionType):
        return " or ".join(map(_type, arguments))
    if origin is tuple:
        inner = arguments[:1] if arguments[-1] is Ellipsis else arguments
        return f"list of {' and '.join(map(_type, inner))}"
    if origin is not None and issubclass(origin, Mapping):
        return f"object of {_type(arguments[1])}"
    return "object"


def undescribed() -> Iterator[str]:
    """Keys that no docstring explains, and explanations of keys that are not there."""
    for name, shape in shape_classes().items():
        keys = {one.name for one in fields(shape)}  # type: ignore[arg-type]
        yield from (f"{name}.{key}" for key in sorted(keys ^ described(shape).keys()))


def main() -> None:
    """Write the page."""
    Path(PAGE).write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
