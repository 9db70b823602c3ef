"""Authenticators (TOTP) and the recovery codes beside them: setting up, and whether a code counts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.one_time_codes import (
    new_recovery_codes,
    new_totp_secret,
    recovery_hash,
    step_of,
    totp_address,
)
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.services.access.signing import Signing
from enrichment_assets.services.access.users import must_find
from enrichment_assets.store.access import second_factors as store
from enrichment_assets.store.access.users import User
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq


@dataclass(frozen=True, slots=True)
class NewTotp:
    """What an authenticator is told, shown once: the secret, and the same as an address for a QR code."""

    login: str
    secret: str = field(repr=False)
    address: str = field(repr=False)


def begin_totp(hq: Hq, signing: Signing, login: str, *, actor: Actor) -> NewTotp:
    """Give somebody a new authenticator; it is asked for from its first right code on (`confirm_totp`).

    Raises:
        NotFoundError: There is no such user.
        ConfigurationError: They have one: it is taken away first.
    """
    secret = new_totp_secret()
    with hq.transaction() as connection:
        user = must_find(connection, login)
        if user.totp_step is not None:
            raise ConfigurationError(f"{user.login} has an authenticator: take it away first", code="totp.exists")
        store.set_totp(connection, user.id, signing.sealed(secret, user.login))
        note_action(connection, actor, Code.USER_TOTP, user.login, after={"totp": "set up, not confirmed"})
    return NewTotp(user.login, secret, totp_address(secret, user.login))


def confirm_totp(hq: Hq, signing: Signing, login: str, code: str, *, actor: Actor) -> list[str]:
    """Ask for the authenticator from now on. Returns the recovery codes, which are shown once.

    Raises:
        NotFoundError: There is no such user.
        ConfigurationError: There is nothing to confirm, or the code is not of this moment.
    """
    codes = new_recovery_codes()
    with hq.transaction() as connection:
        user = must_find(connection, login)
        if user.totp_sealed is None or user.totp_step is not None:
            raise ConfigurationError(f"{user.login} has no authenticator to confirm", code="totp.nothing_to_confirm")
        if not _is_totp(connection, signing, user, code, time.time()):
            raise ConfigurationError(
                "that code is not of this moment: look at the clock of the device", code="totp.code_wrong"
            )
        store.set_recovery_codes(connection, user.id, [recovery_hash(one) for one in codes])
        said = {"totp": "confirmed", "recovery_codes": len(codes)}
        note_action(connection, actor, Code.USER_TOTP, user.login, after=said)
    return codes


def end_totp(hq: Hq, login: str, *, actor: Actor) -> bool:
    """Take somebody's authenticator and recovery codes away. False: there was none. Raises `NotFoundError`."""
    with hq.transaction() as connection:
        user = must_find(connection, login)
        if user.totp_sealed is None:
            return False
        store.set_totp(connection, user.id, None)
        note_action(connection, actor, Code.USER_TOTP, user.login, before={"totp": "set up"})
        return True


def is_code(hq: Hq, signing: Signing, user: User, code: str, at: float) -> bool:
    """Whether a code of the authenticator, or a recovery code, counts at a time. It counts once, then no more."""
    with hq.transaction() as connection:
        return _is_totp(connection, signing, user, code, at) or store.use_recovery_code(
            connection, user.id, recovery_hash(code)
        )


def _is_totp(connection: Connection, signing: Signing, user: User, code: str, at: float) -> bool:
    secret = None if user.totp_sealed is None else signing.opened(bytes(user.totp_sealed), user.login)
    step = None if secret is None else step_of(secret, code, at)
    return step is not None and store.use_step(connection, user.id, step)
