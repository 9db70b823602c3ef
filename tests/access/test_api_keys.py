"""Keys: shown once, kept as a hash, for a client and for actions, until they are over or revoked."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from enrichment_assets.domain.access import Permission
from enrichment_assets.domain.api_keys import new_key
from enrichment_assets.domain.errors import EnrichError, NotFoundError
from enrichment_assets.services.access.api_keys import NewKey, caller_of_key, create_key, list_keys, revoke_key
from enrichment_assets.services.catalog import archiving
from tests.access.office import Office
from tests.actors import TESTER


def make(office: Office, name: str, *scopes: str, **options: Any) -> NewKey:
    return create_key(office.hq, name, scopes or ("batches:read",), actor=TESTER, **options)


def test_a_key_is_known_by_its_text_which_is_kept_nowhere(office: Office) -> None:
    made = make(office, "zapier", "leads:read", "Batches:Read ", "leads:read", client="acme", days=30)
    caller = caller_of_key(office.hq, made.text)
    assert caller is not None
    assert str(caller.actor) == "api-key:zapier"
    assert caller.may(Permission.LEADS_READ, "acme")
    assert caller.may(Permission.BATCHES_READ, "acme")
    assert not caller.may(Permission.LEADS_READ, "globex")
    assert not caller.may(Permission.LEADS_READ, None)
    assert not caller.may(Permission.BATCHES_CONTROL, "acme")
    (kept,) = list_keys(office.hq)
    assert kept.scopes == ["batches:read", "leads:read"]
    assert kept.expires_at is not None
    assert (kept.expires_at - kept.created_at).days in (29, 30)
    with office.hq.transaction() as connection:
        rows = str(connection.execute("select * from api_keys").fetchall())
        rows += str(connection.execute("select * from operator_actions").fetchall())
    secret = made.text.rpartition("_")[2]
    assert secret not in rows + repr(made) + repr(kept)


def test_a_key_that_is_over_revoked_or_of_an_archived_client_is_nobody_s(office: Office) -> None:
    over, gone, put_away, good = (make(office, name, client="acme") for name in ("over", "gone", "away", "good"))
    office.change("update api_keys set expires_at = now() - interval '1 second' where name = 'over'")
    assert revoke_key(office.hq, "gone", actor=TESTER)
    assert not revoke_key(office.hq, "gone", actor=TESTER)
    known = [caller_of_key(office.hq, key.text) is not None for key in (over, gone, put_away, good)]
    assert known == [False, False, True, True]
    archiving.archive(office.hq, office.settings, "client", "acme", actor=TESTER, partitions=NoPartitions())
    assert caller_of_key(office.hq, good.text) is None
    archiving.restore(office.hq, office.settings, "client", "acme", actor=TESTER, partitions=NoPartitions())
    assert caller_of_key(office.hq, good.text) is not None
    archiving.archive(office.hq, office.settings, "client", "acme", actor=TESTER, partitions=NoPartitions())
    archiving.remove(office.hq, office.settings, "client", "acme", actor=TESTER, partitions=NoPartitions())
    assert list_keys(office.hq) == []


GUESSED = int(os.environ.get("STRANGERS", "2000")) // 2


class NoPartitions:
    """Dagster's partitions, of which nothing is wanted here."""

    def add(self, batch_key: str) -> None:
        """Nothing."""

    def remove(self, batch_key: str) -> None:
        """Nothing."""


def test_guessed_keys_are_nobody_s(office: Office) -> None:
    true = make(office, "zapier").text
    chance = random.Random(19)
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    for number in range(GUESSED):
        place = chance.randrange(len(true))
        other = true[:place] + chance.choice(letters.replace(true[place], "")) + true[place + 1 :]
        guess = (new_key().text, other, true[:20] + new_key().text[20:], true[:-1], true + "a")[number % 5]
        assert caller_of_key(office.hq, guess) is None, guess
    assert caller_of_key(office.hq, true) is not None


def test_when_a_key_was_last_used_is_kept_to_five_minutes_and_not_written_with_each_request(office: Office) -> None:
    made = make(office, "zapier")
    place = "select xmin::text as version, last_used_at from api_keys"

    def kept() -> dict[str, Any]:
        with office.hq.transaction() as connection:
            row = connection.execute(place).fetchone()
        assert row is not None
        return row

    assert kept()["last_used_at"] is None
    caller_of_key(office.hq, made.text)
    first = kept()
    assert first["last_used_at"] is not None
    for _ in range(20):
        caller_of_key(office.hq, made.text)
    assert kept() == first
    office.change("update api_keys set last_used_at = last_used_at - interval '5 minutes 1 second'")
    caller_of_key(office.hq, made.text)
    assert kept()["last_used_at"] > first["last_used_at"]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"scopes": ["batches:write"]}, "api_key.scope_unknown"),
    ({"scopes": ["access:read"]}, "api_key.scope_unknown"),
    ({"scopes": ["*"]}, "api_key.scope_unknown"),
    ({"scopes": []}, "api_key.no_scope"),
    ({"name": ""}, "api_key.name_invalid"),
    ({"name": " zapier"}, "api_key.name_invalid"),
    ({"name": "a\nb"}, "api_key.name_invalid"),
    ({"name": "x" * 129}, "api_key.name_invalid"),
    ({"name": "taken"}, "api_key.exists"),
    ({"client": "nobody"}, "client.not_found"),
]


def test_what_cannot_be_a_key_is_refused_and_leaves_nothing(office: Office) -> None:
    make(office, "taken")
    revoke_key(office.hq, "taken", actor=TESTER)
    before = office.actions()
    for options, code in REFUSED:
        given = {"name": "zapier", "scopes": ["batches:read"], "client": None} | options
        with pytest.raises(EnrichError) as refused:
            create_key(office.hq, given["name"], given["scopes"], actor=TESTER, client=given["client"])
        assert refused.value.code == code
        assert "Permission." not in str(refused.value), "a suggestion is what can be typed"
    assert office.actions() == before
    assert len(list_keys(office.hq)) == 1


def test_a_key_that_is_not_there_cannot_be_revoked(office: Office) -> None:
    make(office, "zapier")
    with pytest.raises(NotFoundError, match="zapier"):
        revoke_key(office.hq, "zapir", actor=TESTER)
