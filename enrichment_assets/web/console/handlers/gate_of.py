"""Rules that stand before a client contacts anybody: a form of all of them, with who changed what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from enrichment_assets.domain.errors import ConfigurationError, EnrichError
from enrichment_assets.domain.gate.rules import RULES, Setting
from enrichment_assets.domain.versions import ChangedMeanwhileError, Seen
from enrichment_assets.services.catalog.configuration import get_client
from enrichment_assets.services.deliveries.gate_rules import (
    ShownRule,
    reset_rule,
    rules_version,
    set_rules,
    show_rules,
)
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.views import Redirect, Shown, View

_SET = "set:"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a rule.

    Attributes:
        path: Rule and setting, as `company_cap.people`; `on` is a setting of each.
        name: Of the setting.
        text: What stands in it.
        usual: What it is where nobody changes it.
        words: What it may be; empty: a number or a text.
        bounds: Of a number, the least and the most; None: it is none.
        saved: Where somebody else was faster, and the form holds something else: what they saved; None: the same.
    """

    path: str
    name: str
    text: str
    usual: str
    words: tuple[str, ...] = ()
    bounds: tuple[int, int] | None = None
    saved: str | None = None


def show(call: Call) -> Shown:
    """The rules as they are in force, to be changed."""
    call.checked("said")
    return _form(call, {})


def change(call: Call) -> Shown:
    """Save what is another than before, all of it or nothing; or have one rule as it comes again."""
    client, seen, reset = call.path["client"], call.text("seen"), call.text("reset")
    said = {name.removeprefix(_SET): str(text).strip() for name, text in call.body.items() if name.startswith(_SET)}
    call.checked("seen", "reset", *(f"{_SET}{path}" for path in said))
    if seen is None:
        raise invalid(seen="is missing")
    there = f"/clients/{client}/gate"
    known = {one.path: one for rule in show_rules(call.hq, client) for one in fields_of(rule, {})}
    if strange := [path for path in said if path not in known]:
        raise invalid(**{f"{_SET}{strange[0][:80]}": "is no setting of a rule"})
    changes: dict[str, dict[str, str]] = {}
    for path, text in said.items():
        if text != known[path].text:
            rule, _, name = path.partition(".")
            changes.setdefault(rule, {})[name] = text
    try:
        if reset:
            reset_rule(call.hq, client, reset, actor=call.known.actor, seen=Seen.version(seen))
        else:
            set_rules(call.hq, client, changes, actor=call.known.actor, seen=Seen.version(seen))
    except ChangedMeanwhileError as error:
        return _form(call, said, error, HTTPStatus.PRECONDITION_FAILED)
    except ConfigurationError as error:
        return _form(call, said, error, HTTPStatus.UNPROCESSABLE_ENTITY)
    return Redirect(there, "gate-saved")


def fields_of(shown: ShownRule, said: Mapping[str, str]) -> list[Field]:
    """The fields of a rule, with what somebody typed; of one that is always on there are none."""
    declared = RULES[shown.rule]
    if declared.fixed:
        return []
    switch = Setting("on", words=("on", "off"))
    values = {"on": "on" if shown.setting.is_on else "off", **shown.setting.settings}
    found = []
    for name, setting in {"on": switch, **declared.settings}.items():
        path, now = f"{shown.rule.value}.{name}", str(values[name])
        typed = said.get(path, now)
        bounds = (setting.lowest, setting.highest) if isinstance(setting.default, int) else None
        saved = None if typed == now else now
        found.append(Field(path, name, typed, str(setting.default), setting.words, bounds, saved))
    return found


def _says(shown: ShownRule) -> str:
    """What a rule refuses, with its numbers as they are in force."""
    text = shown.says
    for name, value in shown.setting.settings.items():
        if isinstance(value, int):
            text = text.replace(f"`{name}`", str(value))
    return text.replace("`", "")


def _form(
    call: Call, said: Mapping[str, str], error: EnrichError | None = None, status: HTTPStatus = HTTPStatus.OK
) -> View:
    client = get_client(call.hq, call.path["client"])
    seen = rules_version(call.hq, client.slug)  # before the rules: who is overtaken in between is told when they save
    context: dict[str, Any] = {
        "client": client,
        "seen": seen,
        "rules": [(one, _says(one), fields_of(one, said)) for one in show_rules(call.hq, client.slug)],
        "error": error,
        "is_late": isinstance(error, ChangedMeanwhileError),
    }
    return View("gate.html", f"Before {client.slug} contacts anybody", context, status)
