"""Keys, passwords and codes by themselves: what is kept, what is taken, what counts once."""

from __future__ import annotations

import math
import re

import pytest

from enrichment_assets.domain.access import PERMISSIONS, SCOPES, Caller, Grant, Permission, Role
from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.api_keys import new_key, read_key
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.one_time_codes import (
    new_recovery_codes,
    new_totp_secret,
    recovery_hash,
    step_of,
    totp_address,
)
from enrichment_assets.domain.passwords import check_password, hashed_password, is_password

RFC_6238_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""Base32 of `12345678901234567890`: RFC 6238, appendix B, whose codes have eight digits. The last six are ours."""


def test_a_key_has_a_part_that_finds_it_and_256_bits_that_are_not_kept() -> None:
    keys = [new_key() for _ in range(200)]
    assert len({key.text for key in keys}) == len({key.prefix for key in keys}) == 200
    for key in keys:
        assert re.fullmatch(r"enrich_[a-z2-7]{12}_[A-Za-z0-9_-]{43}", key.text)
        assert len(key.secret) * math.log2(64) >= 256
        assert key.secret not in repr(key)
        assert read_key(key.text) == key
        assert key.matches(key.secret_hash)
        assert not key.matches(keys[0].secret_hash if key is not keys[0] else keys[1].secret_hash)


@pytest.mark.parametrize(
    "text",
    ["", "enrich_", "enrich__", "x", "enrich_abcdefghijkl_", "enrich_abcdefghijkl_" + "a" * 42, " ", "null",
     "enrich_abcdefghijkl_" + "a" * 44, "enrich_ABCDEFGHIJKL_" + "a" * 43, "enrich_abcdefghijk1_" + "a" * 43,
     "ENRICH_abcdefghijkl_" + "a" * 43, "enrich_abcdefghijkl_" + "a" * 42 + "\n", "enrich_abcdefghijkl_" + "é" * 43,
     "enrich_abcdefghijkl_" + "a" * 43 + "\n"],
)  # fmt: skip
def test_what_is_no_key_is_none(text: str) -> None:
    assert read_key(text) is None


def test_a_password_is_kept_as_argon2id_with_owasps_parameters_and_known_again_however_it_is_typed() -> None:
    kept = hashed_password("Ａn owl ﬂies at night")  # full-width A and a ligature: NFKC makes plain letters of them
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert is_password("An owl flies at night", kept) == (True, None)
    assert is_password("an owl flies at night", kept) == (False, None)
    assert is_password("An owl flies at night", None) == (False, None)
    assert is_password("An owl flies at night" + "!" * 10**6, kept) == (False, None)


def test_a_password_with_weaker_parameters_is_hashed_anew_when_it_is_used() -> None:
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    old = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8 * 1024, parallelism=1),)).hash("quite old, this one")
    found, better = is_password("quite old, this one", old)
    assert found
    assert better is not None
    assert is_password("quite old, this one", better) == (True, None)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("elevenchars", "password.length"),
        ("", "password.length"),
        ("x" * 257, "password.length"),
        ("aaaaaaaaaaaaaaa", "password.guessed"),
        ("abababababab", "password.guessed"),
        ("ada.lovelaceADA.LOVELACE", "password.guessed"),
        (" " * 20, "password.guessed"),
        ("１１１１１１１１１１１１", "password.guessed"),
    ],
)
def test_passwords_that_are_short_or_guessed_at_once_are_refused(password: str, code: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        check_password(password, "ada.lovelace")
    assert refused.value.code == code


@pytest.mark.parametrize(
    "password", ["correct horse battery", "密码不应该太短了吧对不对呀好", "x1-yz" * 50, "lovelace in 12 m"]
)
def test_any_long_text_is_a_password(password: str) -> None:
    check_password(password, "ada.lovelace")


@pytest.mark.parametrize(
    ("at", "code"),  # RFC 6238, appendix B, SHA-1
    [(59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
     (2_000_000_000, "279037"), (20_000_000_000, "353130")],
)  # fmt: skip
def test_codes_are_those_of_the_standard_one_step_early_or_late_too(at: int, code: str) -> None:
    step = at // 30
    for seconds in (-30, 0, 30):
        assert step_of(RFC_6238_SECRET, code, at + seconds) == step
    for seconds in (-60, 60, 10_000):
        assert step_of(RFC_6238_SECRET, code, at + seconds) is None
    assert step_of(RFC_6238_SECRET, f" {code[:3]} {code[3:]} ", at) == step  # as authenticators show them


@pytest.mark.parametrize(
    "code", ["", "28708", "2870822", "28708a", "２８７０８２", "-87082", "0x4617a", "287082\x00", "٢٨٧٠٨٢"]
)
def test_what_is_no_code_is_of_no_step(code: str) -> None:
    assert step_of(RFC_6238_SECRET, code, 59) is None


def test_secrets_and_recovery_codes_are_random_and_the_latter_read_however_they_are_typed() -> None:
    assert len({new_totp_secret() for _ in range(50)}) == 50
    assert len(new_totp_secret()) * 5 == 160
    assert totp_address(RFC_6238_SECRET, "ada@acme.com").startswith("otpauth://totp/enrich:ada%40acme.com?secret=")
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([a-z2-7]{4}-){3}[a-z2-7]{4}", code) for code in codes)
    assert recovery_hash(codes[0]) == recovery_hash(codes[0].upper().replace("-", " "))
    assert len({recovery_hash(code) for code in codes}) == 10


def test_a_role_may_what_those_below_it_may_and_only_an_owner_sees_who_has_access() -> None:
    reader, reviewer, operator, owner = (
        PERMISSIONS[r] for r in (Role.READER, Role.REVIEWER, Role.OPERATOR, Role.OWNER)
    )
    assert reader < reviewer < operator < owner == frozenset(Permission)
    of_owners = {Permission.ACCESS_READ, Permission.ACCESS_EDIT, Permission.PERSONS_ERASE}
    assert owner - operator == of_owners
    assert not SCOPES & of_owners


def test_a_grant_for_one_client_is_none_for_another_nor_for_what_belongs_to_no_client() -> None:
    caller = Caller(
        Actor.parse("user:ada"),
        (
            Grant(PERMISSIONS[Role.OPERATOR], "acme"),
            Grant(PERMISSIONS[Role.READER], "globex"),
            Grant(frozenset(), None),
        ),
        "user 1",
    )
    pause, see = Permission.BATCHES_CONTROL, Permission.BATCHES_READ
    assert [caller.may(pause, client) for client in ("acme", "globex", "initech", None)] == [True, False, False, False]
    assert [caller.may(see, client) for client in ("acme", "globex", "initech", None)] == [True, True, False, False]
    assert caller.clients() == {"acme", "globex"}
    assert (caller.only_client(pause), caller.only_client(see)) == ("acme", None)
    everywhere = Caller(Actor.parse("user:eve"), (Grant(PERMISSIONS[Role.READER]),), "user 2")
    assert everywhere.clients() is None
    assert (everywhere.may(see, "acme"), everywhere.may(see, None), everywhere.may(pause, "acme")) == (
        True,
        True,
        False,
    )
