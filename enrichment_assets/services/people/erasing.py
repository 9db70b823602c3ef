"""Erasing a person: everything that is known of them goes, and they stay out (docs/adr/0040).

What is asked for is committed first, with all that is looked for, sealed: so a kill at any point loses nothing, and
the next look of the sensor, or the next command about persons, goes on where it ended (`erasure_steps`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.person_traces import Traits
from enrichment_assets.domain.sealing import opened_text, sealed_text
from enrichment_assets.domain.suppression import Hasher, Identity, Kind
from enrichment_assets.services.people.erasure_steps import STEPS, Work
from enrichment_assets.services.people.identifying import KINDS, Person, Whom, identify
from enrichment_assets.services.people.inventory import Scope, look
from enrichment_assets.services.people.pepper import must_compare, pepper_of
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.catalog.clients import get_client
from enrichment_assets.store.database import Connection
from enrichment_assets.store.people import erasures
from enrichment_assets.store.suppressions import suppressions

_SUBJECT = 16
"""Characters of a subject's name."""

WHY = "erased"
"""Why an erased person is suppressed; what was said beside it is kept with the erasure."""


# crash point: erasure-is-asked-for
def ask(scope: Scope, whom: Whom, reason: str, *, actor: Actor) -> int:
    """Write down that a person is to be erased, and suppress them: from the commit on nobody asks about them.

    Returns the number of the erasure; `carry_out` does the rest.

    Raises:
        ConfigurationError: There is no reason, or the pepper is missing or another.
    """
    if not reason.strip():
        raise ConfigurationError("say why: an erasure has a reason", code="person.no_reason")
    pepper = pepper_of(scope.hq, scope.settings)
    with scope.hq.transaction() as connection:
        hasher = must_compare(connection, pepper)
        person = identify(connection, scope.clients, whom)
        subject = subject_name(whom, hasher)
        known = sorted(person.identities | whom.identities)
        suppressed = _suppress(connection, scope, hasher, known, actor)
        before = erasures.by_subject(connection, subject)
        hashes = sorted({hasher.hashed(one) for one in known} | (before.each_hash if before else set()))
        erasure_id = erasures.ask_for(
            connection,
            client_id=scope.client_id,
            subject=subject,
            hashes=hashes,
            sealed=sealed_text(_packed(whom, person), hasher),
            items=person.items,
            reason=reason,
            actor=str(actor),
        )
        said = {"reason": reason, "items": len(person.items), "identities": len(known), "suppressed": suppressed}
        note_action(connection, actor, Code.PERSON_ERASE, subject, client_id=scope.client_id, after=said)
    return erasure_id


def ask_by_hashes(
    scope: Scope, entry: Mapping[str, Any], hashes: Mapping[bytes, Kind], hasher: Hasher, *, actor: Actor
) -> int:
    """Ask for an erasure of which only the hashes are known, and whatever they lead to here: after a restore.

    `entry`: a line of the home's journal.
    """
    with scope.hq.transaction() as connection:
        found = get_client(connection, entry["client"], archived=True) if entry["client"] else None
        client_id = None if found is None else int(found["id"])
        whom = Whom(frozenset(), frozenset(hashes), hasher)
        person = identify(connection, None if client_id is None else [client_id], whom)
        rows = [suppressions.NewSuppression(kind.value, digest, None) for digest, kind in hashes.items()]
        suppressions.lock_state(connection)
        suppressions.unseal(connection, list(hashes))
        suppressions.add(
            connection,
            rows,
            client_id=client_id,
            reason=WHY,
            actor=str(actor),
            expires_at=None,
            mark=hasher.mark,
        )
        erasure_id = erasures.ask_for(
            connection,
            client_id=client_id,
            subject=str(entry["subject"]),
            hashes=sorted(hashes),
            sealed=sealed_text(_packed(Whom(frozenset()), person), hasher),
            items=person.items,
            reason=str(entry["reason"]),
            actor=str(actor),
        )
        said = {"restored": True, "items": len(person.items)}
        note_action(connection, actor, Code.PERSON_ERASE, str(entry["subject"]), client_id=client_id, after=said)
    return erasure_id


def open_again(connection: Connection, erasure_id: int, person: Person, hasher: Hasher) -> None:
    """Let an erasure be done once more, for what is known of the person now. The caller commits."""
    sealed = sealed_text(_packed(Whom(frozenset()), person), hasher)
    erasures.open_again(connection, erasure_id, sealed, person.items)


# opens files of ours: the home's journal of erasures
# crash point: erasure-is-in-the-journal
def _journal(work: Work) -> None:
    """Write the hashes into a file of the home, which a database out of a backup is compared with."""
    scope, erasure = work.scope, work.erasure
    with scope.hq.transaction() as connection:
        kinds = suppressions.kinds_of(connection, sorted(erasure.each_hash))
    hashes = sorted([kinds.get(one, Kind.EMAIL.value), one.hex()] for one in erasure.each_hash)
    said = {"subject": erasure.subject, "client": erasure.client, "reason": _reason(work), "hashes": hashes}
    line = json.dumps(said) + "\n"
    path = scope.settings.erasures_file
    if not path.exists() or line not in path.read_text():
        with path.open("a") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        path.chmod(0o600)


def subject_name(whom: Whom, hasher: Hasher) -> str:
    """What the certificate and the log of changes call a person: the beginning of a hash."""
    first = min(whom.identities) if whom.identities else None
    return (hasher.hashed(first) if first else min(whom.hashes)).hex()[:_SUBJECT]


def carry_out(scope: Scope, erasure_id: int) -> Mapping[str, Any]:
    """Do what is left of an erasure, and give its certificate.

    Raises:
        ConfigurationError: The pepper with which it was asked for is missing or another.
        InfrastructureError: A place cannot be reached; what was done stays done.
    """
    work = _taken_up(scope, erasure_id)
    if work.erasure.finished_at is not None:
        return work.erasure.certificate or {}
    _journal(work)
    for place, step in STEPS.items():
        if place not in work.erasure.progress or "open" in work.erasure.progress[place]:
            step(work)
    return _certify(work)


def erase(scope: Scope, whom: Whom, reason: str, *, actor: Actor) -> Mapping[str, Any]:
    """Erase a person everywhere and keep them out; the certificate. Ended in between, it goes on by itself.

    Raises as `ask` and `carry_out`.
    """
    return carry_out(scope, ask(scope, whom, reason, actor=actor))


def unfinished(scope: Scope) -> list[int]:
    """Numbers of the erasures that are not done."""
    with scope.hq.transaction() as connection:
        return erasures.unfinished(connection)


def list_erasures(scope: Scope) -> list[erasures.Erasure]:
    """Everybody who was erased or is to be, of the scope's client or of all, the latest first."""
    with scope.hq.transaction() as connection:
        return [one for one in erasures.all_of_them(connection) if scope.client in (None, one.client)]


def certificates(scope: Scope) -> list[Mapping[str, Any]]:
    """The certificates of the erasures, of the scope's client or of all, the latest first."""
    return [one.certificate for one in list_erasures(scope) if one.certificate is not None]


def certificate_of(scope: Scope, subject: str) -> Mapping[str, Any]:
    """The certificate of a subject, or of an erasure by its number, of the scope's client or of all.

    Raises `NotFoundError` where nobody was erased so.
    """
    with scope.hq.transaction() as connection:
        by_number = subject.isdigit() and len(subject) < _SUBJECT
        found = erasures.get(connection, int(subject)) if by_number else erasures.by_subject(connection, subject)
    if found is None or found.certificate is None or scope.client not in (None, found.client):
        raise NotFoundError(f"nobody was erased as {subject!r}", code="person.no_certificate")
    return found.certificate


def _taken_up(scope: Scope, erasure_id: int) -> Work:
    hasher = Hasher(_pepper(scope))
    with scope.hq.transaction() as connection:
        erasure = erasures.get(connection, erasure_id)
        if erasure is None:
            raise ConfigurationError(f"there is no erasure {erasure_id}", code="person.no_erasure")
    mine = Scope(scope.hq, scope.settings, scope.dagster_url, erasure.client, erasure.client_id)
    if erasure.sealed is None:
        return Work(mine, erasure, Whom(frozenset()), Person((), frozenset(), Traits()))
    text = opened_text(erasure.sealed, hasher)
    if text is None:
        raise ConfigurationError(
            f"erasure {erasure.subject} was asked for with another pepper: set ENRICH_SUPPRESSION_PEPPER as it was",
            code="person.pepper_other",
        )
    whom, person = _unpacked(text, tuple(erasure.item_ids))
    return Work(mine, erasure, whom, person)


def _pepper(scope: Scope) -> str:
    pepper = pepper_of(scope.hq, scope.settings)
    if pepper is None:
        raise ConfigurationError(
            "the pepper is not set: set ENRICH_SUPPRESSION_PEPPER as it was, or restore the home's suppression-pepper",
            code="person.pepper_missing",
        )
    return pepper


def _suppress(connection: Connection, scope: Scope, hasher: Hasher, known: list[Identity], actor: Actor) -> int:
    """Suppress every identity of the person by hash alone, and forget the values of suppressions that they had."""
    rows = [suppressions.NewSuppression(one.kind.value, hasher.hashed(one), None) for one in known]
    suppressions.unseal(connection, [row.hash for row in rows])
    return suppressions.add(
        connection,
        rows,
        client_id=scope.client_id,
        reason=WHY,
        actor=str(actor),
        expires_at=None,
        mark=hasher.mark,
    )


# crash point: erasure-is-certified
def _certify(work: Work) -> dict[str, Any]:
    """Look once more everywhere, and write the certificate: counts, times and hashes."""
    erasure, still = work.erasure, look(work.scope, work.whom, work.person)
    certificate = {
        "erasure": erasure.id,
        "subject": erasure.subject,
        "client": erasure.client,
        "reason": _reason(work),
        "actor": erasure.actor,
        "requested_at": erasure.requested_at.isoformat(timespec="seconds"),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "identities": len(erasure.each_hash),
        "items": len(erasure.item_ids),
        "shared": work.person.shared,
        "places": erasure.progress,
        "still_found": [{"place": one.place, "where": one.where, "rows": one.rows} for one in still.found],
        "left_to_a_person": [{"where": one.where, "why": one.why} for one in still.left],
    }
    with work.scope.hq.transaction() as connection:
        erasures.finish(connection, erasure.id, certificate)
    return certificate


def _reason(work: Work) -> str:
    """Why, without the person: a reason may name them."""
    return work.needles.blacked_out(work.erasure.reason, names=True)


def _packed(whom: Whom, person: Person) -> str:
    identities = sorted([one.kind.value, one.value] for one in whom.identities | person.identities)
    return json.dumps({"identities": identities, "traits": person.traits.encoded(), "shared": person.shared})


def _unpacked(text: str, items: tuple[int, ...]) -> tuple[Whom, Person]:
    said = json.loads(text)
    identities = frozenset(Identity(Kind(kind), value) for kind, value in said["identities"])
    person = Person(items, identities, Traits.decoded(said["traits"]), said["shared"])
    return Whom(frozenset(one for one in identities if one.kind in KINDS)), person
