"""The rules of the send gate, their settings, and what a client changed of them.

All are on from the start. What a client changes is kept with who changed it; `suppressed` and `stopped` are nobody's to
change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.suggestions import did_you_mean


class Rule(StrEnum):
    """What may stand between a lead and a message, in the order in which it is told."""

    SUPPRESSED = "suppressed"
    STOPPED = "stopped"
    CUSTOMER = "customer"
    OPEN_DEAL = "open_deal"
    COMPETITOR = "competitor"
    OTHER_OWNER = "other_owner"
    COUNTRY = "country"
    RIGHT_PERSON = "right_person"
    ROLE_CURRENT = "role_current"
    EMAIL_VERIFIED = "email_verified"
    FRESH = "fresh"
    RECENTLY_CONTACTED = "recently_contacted"
    COMPANY_CAP = "company_cap"


class ListKind(StrEnum):
    """Lists of a client by which leads are refused; stored in `gate_entries`."""

    CUSTOMERS = "customers"
    OPEN_DEALS = "open_deals"
    COMPETITORS = "competitors"
    OWNERS = "owners"
    """Accounts of colleagues, with whose they are."""


RULE_OF_LIST: Mapping[ListKind, Rule] = {
    ListKind.CUSTOMERS: Rule.CUSTOMER,
    ListKind.OPEN_DEALS: Rule.OPEN_DEAL,
    ListKind.COMPETITORS: Rule.COMPETITOR,
    ListKind.OWNERS: Rule.OTHER_OWNER,
}

UNKNOWN_COUNTRY = ("refuse", "opt_out", "consent")
"""What is done with a lead of which no country is known; the first is the default."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A number or word of a rule: its default, and what it may be."""

    default: Any
    lowest: int = 0
    highest: int = 0
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """What a rule is.

    Attributes:
        says: What it refuses.
        fixed: It is always on, and no lead passes it.
        passable: A person may let one lead through, with a reason.
        settings: Its numbers and words by name.
    """

    says: str
    fixed: bool = False
    passable: bool = True
    settings: Mapping[str, Setting] = field(default_factory=dict)


RULES: Mapping[Rule, Declared] = {
    Rule.SUPPRESSED: Declared("who said no, or was suppressed", fixed=True, passable=False),
    Rule.STOPPED: Declared("who has answered, or whom a person stopped", fixed=True, passable=False),
    Rule.CUSTOMER: Declared("people of customers"),
    Rule.OPEN_DEAL: Declared("people of companies with an open deal"),
    Rule.COMPETITOR: Declared("people of competitors"),
    Rule.OTHER_OWNER: Declared(
        "people of a colleague's account; `field` is the lead's column with its owner", settings={"field": Setting("")}
    ),
    Rule.COUNTRY: Declared(
        "whom the law of their country wants to be asked first, unless a consent is recorded",
        passable=False,
        settings={"unknown": Setting(UNKNOWN_COUNTRY[0], words=UNKNOWN_COUNTRY)},
    ),
    Rule.RIGHT_PERSON: Declared("whose name or company is another one at the source of the address"),
    Rule.ROLE_CURRENT: Declared("who has left the company, by their work history or a freshness check"),
    Rule.EMAIL_VERIFIED: Declared(
        "addresses that nobody verified who did not find them; of hosts that take mail for any name, those with fewer "
        "than `finders` finders",
        settings={"finders": Setting(2, 1, 10)},
    ),
    Rule.FRESH: Declared("of whom nothing was heard for `days` days", settings={"days": Setting(180, 1, 3650)}),
    Rule.RECENTLY_CONTACTED: Declared(
        "whom this client has contacted within `days` days, or is about to", settings={"days": Setting(30, 1, 3650)}
    ),
    Rule.COMPANY_CAP: Declared(
        "more than `people` people of one company within `days` days, over all batches",
        settings={"people": Setting(3, 1, 1000), "days": Setting(30, 1, 3650)},
    ),
}


@dataclass(frozen=True, slots=True)
class RuleSetting:
    """A rule as it is in force for a client."""

    is_on: bool
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules as they are in force for a client."""

    rules: Mapping[Rule, RuleSetting]

    def is_on(self, rule: Rule) -> bool:
        """Whether a rule is looked at."""
        return self.rules[rule].is_on

    def value(self, rule: Rule, setting: str) -> Any:
        """A setting of a rule."""
        return self.rules[rule].settings[setting]


def policy_of(changed: Mapping[str, Mapping[str, Any]]) -> Policy:
    """The policy of a client; `changed`: rule -> `on` and settings, as they are stored."""
    found = {}
    for rule, declared in RULES.items():
        said = {} if declared.fixed else changed.get(rule.value, {})
        values = {name: said.get(name, setting.default) for name, setting in declared.settings.items()}
        found[rule] = RuleSetting(bool(said.get("on", True)), values)
    return Policy(found)


def read_rule(text: str) -> Rule:
    """A rule by its name; raises `ConfigurationError` that lists them."""
    if text not in set(Rule):
        raise ConfigurationError(
            f"the gate has no rule {text[:80]!r}{did_you_mean(text, tuple(Rule))}: there are {', '.join(Rule)}",
            code="gate.rule_unknown",
        )
    return Rule(text)


def read_change(rule: Rule, given: Mapping[str, str]) -> dict[str, Any]:
    """What is changed of a rule, checked: `on` (true or false) and settings by name.

    Raises:
        ConfigurationError: The rule is nobody's to change, or a setting is unknown or out of bounds.
    """
    declared = RULES[rule]
    if declared.fixed:
        raise ConfigurationError(f"the rule {rule} is always on: {declared.says}", code="gate.rule_fixed")
    found: dict[str, Any] = {}
    for name, text in given.items():
        if name == "on":
            found["on"] = _switch(text)
            continue
        setting = declared.settings.get(name)
        if setting is None:
            known = ("on", *declared.settings)
            raise ConfigurationError(
                f"the rule {rule} has no setting {name[:80]!r}{did_you_mean(name, known)}: it has {', '.join(known)}",
                code="gate.setting_unknown",
            )
        found[name] = _value(rule, name, setting, text)
    return found


def _switch(text: str) -> bool:
    if text.lower() not in ("true", "false", "on", "off", "yes", "no"):
        raise ConfigurationError(f"`on` is true or false, and not {text[:80]!r}", code="gate.setting_invalid")
    return text.lower() in ("true", "on", "yes")


def _value(rule: Rule, name: str, setting: Setting, text: str) -> Any:
    if setting.words:
        if text not in setting.words:
            raise ConfigurationError(
                f"`{name}` of {rule} is one of {', '.join(setting.words)}, and not {text[:80]!r}",
                code="gate.setting_invalid",
            )
        return text
    if isinstance(setting.default, int):
        if not (text.isascii() and text.isdigit()) or not setting.lowest <= int(text) <= setting.highest:
            raise ConfigurationError(
                f"`{name}` of {rule} is a number from {setting.lowest} to {setting.highest}, and not {text[:80]!r}",
                code="gate.setting_invalid",
            )
        return int(text)
    return text.strip()[:100]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a lead may not be contacted.

    Attributes:
        rule: Which rule says so.
        why: Its words; no value of a person but what the lead itself shows.
    """

    rule: Rule
    why: str

    def __str__(self) -> str:
        """As a state keeps it, behind `gate: `."""
        return f"{self.rule.value}: {self.why}"
