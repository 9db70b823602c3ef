"""What a client changes of the send gate: its rules, its lists, consents, and single leads that are let through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.gate.countries import Consent
from enrichment_assets.domain.gate.rules import RULES, Rule, RuleSetting, policy_of, read_change, read_rule
from enrichment_assets.domain.operator_actions import LONGEST_TEXT, Code
from enrichment_assets.domain.suppression import Hasher, Identity, Kind
from enrichment_assets.domain.versions import Seen, version_of
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.people.pepper import must_compare, pepper_of
from enrichment_assets.services.people.suppressing import name_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries import gate_settings as store
from enrichment_assets.store.deliveries import stops as stop_store
from enrichment_assets.store.deliveries.gate import changed_rules, lock
from enrichment_assets.store.deliveries.stops import NewStop, Stop
from enrichment_assets.store.hq import Hq

NAMES_A_PERSON = frozenset({Kind.EMAIL, Kind.LINKEDIN})
"""By these a consent is recorded."""

NOBODY = (None, None)
"""Who changed a rule that nobody changed, and when."""


@dataclass(frozen=True, slots=True)
class ShownRule:
    """A rule as it is in force for a client; `changed`: it is not as it comes, `by` whom and when."""

    rule: Rule
    says: str
    setting: RuleSetting
    changed: bool
    by: str | None
    at: datetime | None


def show_rules(hq: Hq, client: str) -> list[ShownRule]:
    """Every rule as it is in force for a client. Raises `NotFoundError`."""
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
        changed = changed_rules(connection, client_id)
        authors = store.authors(connection, client_id)
    policy = policy_of(changed)
    return [
        ShownRule(
            rule, declared.says, policy.rules[rule], rule.value in changed, *authors.get(rule.value, (None, None))
        )
        for rule, declared in RULES.items()
    ]


def seen_as(changed: Mapping[str, Any]) -> str:
    """The version of a client's rules that whoever changes one has to have seen."""
    return version_of(dict(changed))


def rules_version(hq: Hq, client: str) -> str:
    """The version of a client's rules now. Raises `NotFoundError`."""
    with hq.transaction() as connection:
        return seen_as(changed_rules(connection, client_row(connection, client)["id"]))


def set_rule(
    hq: Hq, client: str, rule: str, given: Mapping[str, str], *, actor: Actor, seen: Seen | None = None
) -> ShownRule:
    """Change one rule of a client. As `set_rules`, and raises as that."""
    set_rules(hq, client, {rule: given}, actor=actor, seen=seen)
    return next(one for one in show_rules(hq, client) if one.rule.value == rule)


def set_rules(
    hq: Hq,
    client: str,
    changes: Mapping[str, Mapping[str, str]],
    *,
    actor: Actor,
    seen: Seen | None = None,
) -> list[Rule]:
    """Change rules of a client, all or none: switch them (`on`), or change settings; which are others now.

    What is not given stays as it is. `seen`: what of the client's rules whoever changes one has seen; None: they do
    not say.

    Raises:
        ChangedMeanwhileError: The rules are others than they have seen.
        ConfigurationError: There is no such rule or setting, or the rule is nobody's to change.
        NotFoundError: There is no such client.
    """
    wanted = {read_rule(rule): given for rule, given in changes.items()}
    read = {rule: read_change(rule, given) for rule, given in wanted.items()}
    if empty := [rule for rule, change in read.items() if not change]:
        raise ConfigurationError(f"say what of the rule {empty[0]} is to change", code="gate.nothing_given")
    changed = []
    with hq.transaction() as connection:
        client_id, rules = _locked(connection, client, seen)
        for rule, change in read.items():
            before = rules.get(rule.value, {})
            after = {**before, **change}
            if after == before:
                continue
            store.set_rule(connection, client_id, rule.value, after, str(actor))
            name = f"{client}/{rule.value}"
            note_action(connection, actor, Code.GATE_SET, name, client_id=client_id, before=before, after=after)
            changed.append(rule)
    return changed


def reset_rule(hq: Hq, client: str, rule: str, *, actor: Actor, seen: Seen | None = None) -> ShownRule:
    """Have a rule of a client as it comes again. Raises as `set_rules`."""
    which = read_rule(rule)
    with hq.transaction() as connection:
        client_id, rules = _locked(connection, client, seen)
        before = rules.get(which.value)
        if before is not None:
            store.reset_rule(connection, client_id, which.value)
            name = f"{client}/{which.value}"
            note_action(connection, actor, Code.GATE_SET, name, client_id=client_id, before=before, after={})
    return next(one for one in show_rules(hq, client) if one.rule is which)


def _locked(connection: Connection, client: str, seen: Seen | None) -> tuple[int, Mapping[str, Mapping[str, Any]]]:
    """The client's id and what it changed of rules, locked, as whoever changes them has seen it."""
    client_id = client_row(connection, client)["id"]
    lock(connection, client_id)
    rules = changed_rules(connection, client_id)
    if seen is not None:
        seen.check(seen_as(rules), f"the rules of the client {client}")
    return client_id, rules


def let_pass(hq: Hq, item_id: int, rules: Sequence[str], reason: str, *, actor: Actor) -> list[Rule]:
    """Let one lead pass rules, with a reason; which of them it did not pass before.

    Raises:
        ConfigurationError: A rule lets nobody pass, or no reason or rule is given.
        NotFoundError: There is no such lead.
    """
    wanted = [read_rule(rule) for rule in rules]
    _check_reason(reason)
    if not wanted:
        raise ConfigurationError("say which rules the lead may pass", code="gate.nothing_given")
    for rule in wanted:
        if not RULES[rule].passable:
            why = "record a consent instead" if rule is Rule.COUNTRY else "somebody has said so"
            raise ConfigurationError(f"no lead passes the rule {rule}: {why}", code="gate.not_passable")
    with hq.transaction() as connection:
        lead = store.lead(connection, item_id)
        if lead is None:
            raise NotFoundError(f"there is no lead {item_id}", code="gate.no_lead")
        new = store.add_passes(connection, lead, [rule.value for rule in wanted], reason, str(actor))
        if new:
            _note_pass(connection, actor, lead, None, {"rules": new, "reason": reason})
    return [Rule(rule) for rule in new]


def take_back_pass(hq: Hq, item_id: int, *, actor: Actor) -> list[Rule]:
    """Have a lead judged by all rules again; which it was let pass. Raises `NotFoundError`."""
    with hq.transaction() as connection:
        lead = store.lead(connection, item_id)
        if lead is None:
            raise NotFoundError(f"there is no lead {item_id}", code="gate.no_lead")
        gone = store.remove_passes(connection, item_id)
        if gone:
            _note_pass(connection, actor, lead, {"rules": gone}, None)
    return [Rule(rule) for rule in gone]


@dataclass(frozen=True, slots=True)
class Agreed:
    """How somebody came to agree; `evidence`: where that can be seen; `days`: how long it counts (None: for good)."""

    kind: Consent
    evidence: str
    obtained_at: datetime | None = None
    days: int | None = None


def record_consent(hq: Hq, settings: Settings, client: str, whom: Identity, agreed: Agreed, *, actor: Actor) -> bool:
    """Write down that somebody agreed to be written to by a client; False: it stands there already.

    Raises:
        ConfigurationError: They are named by neither address nor profile, no evidence is given, it was obtained in the
            future, or the pepper is missing.
        NotFoundError: There is no such client.
    """
    if whom.kind not in NAMES_A_PERSON:
        raise ConfigurationError("a consent is of an e-mail address or a LinkedIn profile", code="gate.consent_of")
    _check_reason(agreed.evidence)
    now = datetime.now(UTC)
    obtained = agreed.obtained_at or now
    if obtained > now + timedelta(minutes=5):
        raise ConfigurationError("a consent cannot be of the future", code="gate.consent_in_future")
    expires = None if agreed.days is None else obtained + timedelta(days=agreed.days)
    pepper = pepper_of(hq, settings)
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
        hasher = must_compare(connection, pepper)
        hashed, words = hasher.hashed(whom), (agreed.kind.value, agreed.evidence, str(actor))
        new = store.record_consent(connection, client_id, hashed, *words, obtained, expires)
        if new:
            said = {"kind": agreed.kind.value, "of": whom.kind.value, "days": agreed.days}
            _note(connection, actor, Code.CONSENT_RECORD, hasher, whom, client_id, said)
    return new


def withdraw_consent(hq: Hq, settings: Settings, client: str, whom: Identity, *, actor: Actor) -> int:
    """Count no consent of somebody any more; how many there were. Raises as `record_consent`."""
    pepper = pepper_of(hq, settings)
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
        hasher = must_compare(connection, pepper)
        gone = store.withdraw_consents(connection, client_id, hasher.hashed(whom))
        if gone:
            _note(connection, actor, Code.CONSENT_WITHDRAW, hasher, whom, client_id, {"consents": gone})
    return gone


def stop(
    hq: Hq, settings: Settings, client: str, whom: Identity, reason: str, *, actor: Actor, days: int | None = None
) -> bool:
    """Send nothing more to somebody, for good or for some days; False: that is so already.

    Raises:
        ConfigurationError: No reason is given, or the pepper is missing.
        NotFoundError: There is no such client.
    """
    _check_reason(reason)
    until = None if days is None else datetime.now(UTC) + timedelta(days=days)
    pepper = pepper_of(hq, settings)
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
        hasher = must_compare(connection, pepper)
        stops = [NewStop(reason, hasher.hashed(whom), None, until)]
        new = stop_store.add(connection, client_id, str(actor), stops, mark=hasher.mark) == 1
        if new:
            _note(connection, actor, Code.CONTACT_STOP, hasher, whom, client_id, {"reason": reason, "days": days})
    return new


def lift_stop(hq: Hq, settings: Settings, client: str, whom: Identity, *, actor: Actor) -> int:
    """Let go on what was stopped for somebody; how many stops there were. Raises as `stop`."""
    pepper = pepper_of(hq, settings)
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
        hasher = must_compare(connection, pepper)
        gone = stop_store.lift(connection, client_id, [hasher.hashed(whom)])
        if gone:
            _note(connection, actor, Code.CONTACT_LIFT, hasher, whom, client_id, {"stops": gone})
    return gone


def list_stops(hq: Hq, *, client: str | None = None, lifted: bool = False, limit: int = 100) -> list[Stop]:
    """Whom nothing more is sent, the newest first. Raises `NotFoundError` for a client that does not exist."""
    with hq.transaction() as connection:
        client_id = None if client is None else client_row(connection, client)["id"]
        return stop_store.listed(connection, client_id, lifted=lifted, limit=limit)


def _note_pass(
    connection: Connection,
    actor: Actor,
    lead: store.LeadOf,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    note_action(
        connection,
        actor,
        Code.GATE_PASS,
        lead.item_id,
        client_id=lead.client_id,
        batch_id=lead.batch_id,
        before=before,
        after=after,
    )


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > LONGEST_TEXT:
        raise ConfigurationError(
            f"say why, in at most {LONGEST_TEXT} characters: it cannot be explained later otherwise",
            code="gate.no_reason",
        )


def _note(
    connection: Connection,
    actor: Actor,
    code: Code,
    hasher: Hasher,
    whom: Identity,
    client_id: int,
    said: dict[str, Any],
) -> None:
    note_action(connection, actor, code, name_of(hasher, whom), client_id=client_id, after=said)
