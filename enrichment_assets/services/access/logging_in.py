"""Logging in, and who a session is.

Guesses are counted before they are looked at, by three marks: login and address together, the address, the login. The
last one alone makes nobody wait longer than half a minute, so that a stranger who guesses somebody's password cannot
keep them out; a browser in which they have logged in before is counted by itself, and waits for no stranger at all.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from enrichment_assets.domain.access import PERMISSIONS, Caller, Grant
from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.passwords import is_password
from enrichment_assets.services.access.errors import CodeNeededError, LoginRefusedError, TooOftenError
from enrichment_assets.services.access.second_factors import is_code
from enrichment_assets.services.access.signing import Signed, Signing
from enrichment_assets.services.access.users import is_login
from enrichment_assets.store.access import users as store
from enrichment_assets.store.access.guesses import Subject, count_guess, forgive, take_back
from enrichment_assets.store.access.users import User
from enrichment_assets.store.hq import Hq

_LONG, _SHORT = 900.0, 30.0
"""Seconds: the longest wait of who guesses, and of everybody else whose login is guessed."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody who wants in.

    Attributes:
        login: As it was typed.
        password: As it was typed.
        code: Of an authenticator, or a recovery code; empty: none.
        address: The network that the request comes from.
        device: What the browser keeps of an earlier login; empty: nothing.
    """

    login: str
    password: str = field(repr=False)
    code: str = field(default="", repr=False)
    address: str = "unknown"
    device: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """What a browser keeps: the session, and that it is a device of this user."""

    login: str
    session: str = field(repr=False)
    device: str = field(repr=False)


def log_in(hq: Hq, signing: Signing, attempt: Attempt) -> LoggedIn:
    """Let somebody in.

    Raises:
        TooOftenError: There were too many guesses; nothing was looked at.
        LoginRefusedError: Something is wrong.
        CodeNeededError: All is right, but the code is missing.
    """
    login = attempt.login.strip().lower()[:200]
    subjects = _subjects(signing, login, attempt)
    with hq.transaction() as connection:
        wait = count_guess(connection, subjects)
        user = store.find_user(connection, login) if not wait and is_login(login) else None
    if wait:
        raise TooOftenError("too many logins that failed: wait a moment", wait, code="login.too_often")
    known, better = is_password(attempt.password, None if user is None else user.password_hash)
    if user is None or not known or user.disabled_at is not None or not user.roles:
        raise _refused()
    own, others = subjects[:1], subjects[1:]
    if user.totp_step is not None:
        own.append(_check_code(hq, signing, user, attempt.code, subjects))
    with hq.transaction() as connection:
        forgive(connection, _marks(own))
        take_back(connection, _marks(others))
        store.note_login(connection, user.id, better)
    session = signing.session(Signed(user.id, user.sessions))
    return LoggedIn(user.login, session, signing.device(user.id))


def caller_of_session(hq: Hq, signing: Signing, session: str) -> Caller | None:
    """Who a session is; None: it is none, is over, or was ended (a new password, disabled). Costs two statements."""
    signed = signing.read_session(session)
    if signed is None:
        return None
    with hq.transaction() as connection:
        user = store.user_by_id(connection, signed.user_id)
    if user is None or user.disabled_at is not None or user.sessions != signed.sessions:
        return None
    grants = tuple(Grant(PERMISSIONS[role], client) for client, role in user.roles.items())
    return Caller(Actor(ActorKind.USER, user.login), grants, f"user {user.id}")


def _check_code(hq: Hq, signing: Signing, user: User, code: str, counted: list[Subject]) -> Subject:
    """See that the code is right. Its guesses are counted apart: only who knows the password can make any."""
    subject = Subject(signing.mark("code", user.login), 10, _LONG)
    with hq.transaction() as connection:
        if not code.strip():
            take_back(connection, _marks(counted))  # it was no guess
        wait = count_guess(connection, [subject]) if code.strip() else 0.0
    if not code.strip():
        raise CodeNeededError("the code of your authenticator is missing", code="login.code_needed")
    if wait:
        raise TooOftenError("too many codes that were wrong: wait a moment", wait, code="login.codes_too_often")
    if not is_code(hq, signing, user, code, time.time()):
        raise _refused()
    return subject


def _refused() -> LoginRefusedError:
    return LoginRefusedError("login, password or code is wrong", code="login.refused")


def _marks(subjects: list[Subject]) -> list[bytes]:
    return [subject.mark for subject in subjects]


def _subjects(signing: Signing, login: str, attempt: Attempt) -> list[Subject]:
    """Whom a guess is counted for: first who is forgiven when it succeeds, then those who have their count back."""
    device = signing.read_device(attempt.device) if attempt.device else None
    if device is not None:
        return [Subject(signing.mark("device", str(device[0]), device[1], login), 5, _LONG)]
    return [
        Subject(signing.mark("pair", login, attempt.address), 5, _LONG),
        Subject(signing.mark("address", attempt.address), 30, _LONG),
        Subject(signing.mark("login", login), 50, _SHORT),
    ]
