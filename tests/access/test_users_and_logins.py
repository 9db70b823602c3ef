"""Users: who they are, how they get in, and that guessing keeps nobody else out."""

from __future__ import annotations

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pyotp
import pytest

from enrichment_assets.domain.access import Permission, Role
from enrichment_assets.domain.errors import ConfigurationError, EnrichError, NotFoundError
from enrichment_assets.services.access import second_factors, users
from enrichment_assets.services.access.errors import CodeNeededError, LoginRefusedError, TooOftenError
from enrichment_assets.services.access.logging_in import caller_of_session
from enrichment_assets.services.access.signing import Signing
from tests.access.office import ELSEWHERE, HOME_NET, PASSWORD, Office
from tests.actors import TESTER


def refusal(work: Callable[[], Any]) -> tuple[type[EnrichError], str]:
    with pytest.raises(EnrichError) as refused:
        work()
    return type(refused.value), refused.value.code


def test_somebody_sets_a_password_by_a_token_that_counts_once_and_logs_in(office: Office) -> None:
    made = users.add_user(office.hq, "Ada@Acme.com", Role.OPERATOR, actor=TESTER, client="acme")
    assert made.login == "ada@acme.com"
    assert made.token not in repr(made)
    assert refusal(lambda: office.log_in("ada@acme.com", "")) == (LoginRefusedError, "login.refused")
    assert refusal(lambda: users.set_password(office.hq, made.token, "short")) == (
        ConfigurationError,
        "password.length",
    )
    assert users.set_password(office.hq, made.token, PASSWORD) == "ada@acme.com"
    for token in (made.token, "", "x", made.token[:-1]):
        with pytest.raises(LoginRefusedError):
            users.set_password(office.hq, token, PASSWORD)
    caller = caller_of_session(office.hq, office.signing, office.log_in(" ADA@acme.com ").session)
    assert caller is not None
    assert str(caller.actor) == "user:ada@acme.com"
    assert caller.may(Permission.BATCHES_CONTROL, "acme")
    assert not caller.may(Permission.BATCHES_READ, "globex")
    assert office.actions()[2:] == [
        (str(TESTER), "user.add", "ada@acme.com"),
        ("user:ada@acme.com", "user.password", "ada@acme.com"),
    ]
    with office.hq.transaction() as connection:
        kept = str(connection.execute("select * from users").fetchall()) + str(office.actions())
    assert PASSWORD not in kept
    assert made.token not in kept


def test_a_token_that_is_over_sets_nothing(office: Office) -> None:
    made = users.add_user(office.hq, "ada", Role.READER, actor=TESTER)
    office.change("update users set setup_until = now() - interval '1 second'")
    assert refusal(lambda: users.set_password(office.hq, made.token, PASSWORD))[1] == "login.token_refused"


def test_what_is_wrong_is_not_said_and_a_session_ends_with_whatever_ends_it(office: Office) -> None:
    office.add("ada")
    office.add("eve")
    users.disable_user(office.hq, "eve", actor=TESTER)
    tried = [("ada", "wrong" * 4), ("nobody", PASSWORD), ("eve", PASSWORD), ("", ""), ("a\x00b", "x"), ("a" * 9999, "")]
    said = {refusal(lambda who=login, word=password: office.log_in(who, word)) for login, password in tried}  # type: ignore[misc]
    assert said == {(LoginRefusedError, "login.refused")}

    def known(session: str) -> bool:
        return caller_of_session(office.hq, office.signing, session) is not None

    first = office.log_in("ada").session
    assert known(first)
    middle = len(first) - 20
    other = first[:middle] + ("A" if first[middle] != "A" else "B") + first[middle + 1 :]
    tampered = [other, first[1:], first[:-1], "", "x.y.z", "[1,0]", first.swapcase()]
    assert not any(map(known, tampered))
    assert not known(Signing("another secret of the same length").session(office.signing.read_session(first)))  # type: ignore[arg-type]
    assert not known(office.log_in("ada").device)  # a device is no session
    new = users.reset_user(office.hq, "ada", actor=TESTER)
    assert not known(first)
    with pytest.raises(LoginRefusedError):
        office.log_in("ada")
    users.set_password(office.hq, new.token, PASSWORD + "!")
    second = office.log_in("ada", PASSWORD + "!").session
    assert known(second)
    users.change_role(office.hq, "ada", Role.OWNER, actor=TESTER)
    assert known(second)  # a role is read with each request
    users.add_user(office.hq, "zoe", Role.OWNER, actor=TESTER)
    users.disable_user(office.hq, "ada", actor=TESTER)
    assert not known(second)
    users.enable_user(office.hq, "ada", actor=TESTER)
    assert not known(second)
    assert known(office.log_in("ada", PASSWORD + "!").session)


def test_a_session_is_over_after_twelve_hours(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    from itsdangerous import TimestampSigner

    office.add("ada")
    session = office.log_in("ada").session
    now = TimestampSigner("x").get_timestamp()
    for hours, known in ((11.9, True), (12.1, False)):
        monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _self, h=hours: now + int(h * 3600))
        assert (caller_of_session(office.hq, office.signing, session) is not None) is known


def test_guesses_wait_longer_and_longer_and_a_stranger_locks_nobody_out_for_long(office: Office) -> None:
    office.add("ada")
    device = office.log_in("ada").device
    for _ in range(6):  # five are free, and the sixth is looked at too
        assert refusal(lambda: office.log_in("ada", "a wrong password", at=ELSEWHERE))[0] is LoginRefusedError
    waits = []
    for _ in range(4):
        with pytest.raises(TooOftenError) as told:
            office.log_in("ada", PASSWORD, at=ELSEWHERE)  # even with the right one: nothing is looked at
        waits.append(told.value.seconds)
        office.change("update login_guesses set until_at = now() - interval '1 second'")
        assert refusal(lambda: office.log_in("ada", "a wrong password", at=ELSEWHERE))[0] is LoginRefusedError
    assert [round(seconds) for seconds in waits] == [2, 4, 8, 16]
    assert office.log_in("ada", at=HOME_NET).login == "ada"  # from elsewhere, at the same moment

    office.change("update login_guesses set failures = 10000, until_at = null")
    with pytest.raises(LoginRefusedError):
        office.log_in("ada", "a wrong password", at=ELSEWHERE)
    with office.hq.transaction() as connection:
        rows = connection.execute(
            "select round(extract(epoch from until_at - clock_timestamp()))::int as wait from login_guesses order by 1"
        ).fetchall()
    assert [row["wait"] for row in rows if row["wait"]] == [30, 900, 900]  # the login alone; the address and the pair
    with pytest.raises(TooOftenError) as told:
        office.log_in("ada", at="192.0.2.1")
    assert told.value.seconds <= 30
    assert office.log_in("ada", at=ELSEWHERE, device=device).login == "ada"  # a browser that is known does not wait


def test_a_known_device_is_one_user_s_and_is_no_way_to_guess(office: Office) -> None:
    office.add("ada")
    office.add("eve")
    device = office.log_in("eve").device
    said = []
    for _ in range(8):
        said.append(refusal(lambda: office.log_in("ada", "a wrong password", device=device))[0])
        office.change("update login_guesses set until_at = until_at + interval '1 hour'")  # however slow a machine is
    assert said == [LoginRefusedError] * 6 + [TooOftenError] * 2


def test_guesses_at_the_same_time_count_as_many_as_they_are(office: Office) -> None:
    office.add("ada")

    def guess(number: int) -> type[EnrichError]:
        return refusal(lambda: office.log_in("ada", f"wrong password {number}", at=ELSEWHERE))[0]

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(guess, range(30)))
    assert said.count(LoginRefusedError) == 6
    assert said.count(TooOftenError) == 24


def test_old_guesses_are_forgotten_and_taken_out(office: Office) -> None:
    office.add("ada")
    for number in range(3):
        with pytest.raises(LoginRefusedError):
            office.log_in(f"nobody{number}", "x", at=f"192.0.2.{number}")
    office.change("update login_guesses set last_at = now() - interval '25 hours', failures = 999, until_at = null")
    with pytest.raises(LoginRefusedError):
        office.log_in("nobody0", "x", at="192.0.2.0")
    with office.hq.transaction() as connection:
        rows = connection.execute("select failures from login_guesses").fetchall()
    assert [row["failures"] for row in rows] == [1, 1, 1]


def test_an_authenticator_is_asked_for_once_it_is_confirmed_and_no_code_counts_twice(office: Office) -> None:
    office.add("ada")
    made = second_factors.begin_totp(office.hq, office.signing, "ada", actor=TESTER)
    assert made.secret not in repr(made)
    assert office.log_in("ada").login == "ada"  # not confirmed: not asked for
    totp = pyotp.TOTP(made.secret)
    wrong = f"{(int(totp.now()) + 1) % 10**6:06d}"
    confirm = second_factors.confirm_totp
    assert refusal(lambda: confirm(office.hq, office.signing, "ada", wrong, actor=TESTER))[1] == "totp.code_wrong"
    first = totp.now()
    codes = confirm(office.hq, office.signing, "ada", first, actor=TESTER)
    assert refusal(lambda: office.log_in("ada"))[0] is CodeNeededError
    assert refusal(lambda: office.log_in("ada", "a wrong password"))[0] is LoginRefusedError  # no word of a code
    assert refusal(lambda: office.log_in("ada", code=first))[0] is LoginRefusedError  # it has confirmed: replayed
    office.change("update users set totp_step = totp_step - 5")
    assert office.log_in("ada", code=first).login == "ada"
    assert refusal(lambda: office.log_in("ada", code=first))[0] is LoginRefusedError
    assert office.log_in("ada", code=codes[3].upper()).login == "ada"
    assert refusal(lambda: office.log_in("ada", code=codes[3]))[0] is LoginRefusedError
    with office.hq.transaction() as connection:
        kept = connection.execute(
            "select totp_sealed, (select count(*) from recovery_codes) as n from users"
        ).fetchone()
    assert kept and kept["n"] == 9
    assert made.secret.encode() not in bytes(kept["totp_sealed"])

    elsewhere = Signing("another secret of the same length")  # the session secret was lost
    office.change("update users set totp_step = totp_step - 5")
    lost = replace(office, signing=elsewhere)
    assert refusal(lambda: lost.log_in("ada", code=totp.now()))[0] is LoginRefusedError
    assert lost.log_in("ada", code=codes[4]).login == "ada"
    assert second_factors.end_totp(office.hq, "ada", actor=TESTER)
    assert not second_factors.end_totp(office.hq, "ada", actor=TESTER)
    assert office.log_in("ada").login == "ada"


def test_one_code_that_comes_twice_at_once_lets_one_in(office: Office) -> None:
    office.add("ada")
    made = second_factors.begin_totp(office.hq, office.signing, "ada", actor=TESTER)
    totp = pyotp.TOTP(made.secret)
    codes = second_factors.confirm_totp(office.hq, office.signing, "ada", totp.now(), actor=TESTER)
    office.change("update users set totp_step = totp_step - 5")
    for code in (totp.now(), codes[0]):

        def enter(_number: int, code: str = code) -> bool:
            try:
                return office.log_in("ada", code=code).login == "ada"
            except EnrichError:
                return False

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(enter, range(4))).count(True) == 1


def test_who_knows_the_password_guesses_codes_no_faster(office: Office) -> None:
    office.add("ada")
    made = second_factors.begin_totp(office.hq, office.signing, "ada", actor=TESTER)
    second_factors.confirm_totp(office.hq, office.signing, "ada", pyotp.TOTP(made.secret).now(), actor=TESTER)
    said = []
    for number in range(14):  # each from another address, and asking for the code in between
        assert refusal(lambda n=number: office.log_in("ada", at=f"10.1.{n}.1"))[0] is CodeNeededError  # type: ignore[misc]
        said.append(refusal(lambda n=number: office.log_in("ada", code="000000", at=f"10.1.{n}.1"))[0])  # type: ignore[misc]
        office.change("update login_guesses set until_at = until_at + interval '1 hour'")  # however slow a machine is
    assert said == [LoginRefusedError] * 11 + [TooOftenError] * 3


def test_the_platform_always_has_an_owner(office: Office) -> None:
    first = users.first_owner(office.hq, actor=TESTER)
    assert first is not None
    again = users.first_owner(office.hq, actor=TESTER)  # the link was lost
    assert again is not None
    with pytest.raises(LoginRefusedError):
        users.set_password(office.hq, first.token, PASSWORD)
    users.set_password(office.hq, again.token, PASSWORD)
    assert users.first_owner(office.hq, actor=TESTER) is None
    caller = caller_of_session(office.hq, office.signing, office.log_in("owner").session)
    assert caller is not None
    assert all(caller.may(permission, None) for permission in Permission)
    for change in (
        lambda: users.disable_user(office.hq, "owner", actor=TESTER),
        lambda: users.change_role(office.hq, "owner", Role.OPERATOR, actor=TESTER),
        lambda: users.change_role(office.hq, "owner", None, actor=TESTER),
    ):
        assert refusal(change)[1] == "user.last_owner"
    office.add("of-one-client", Role.OWNER, "acme")  # owns no platform
    assert refusal(lambda: users.disable_user(office.hq, "owner", actor=TESTER))[1] == "user.last_owner"
    office.add("ada", Role.OWNER)
    with ThreadPoolExecutor(2) as pool:
        told = list(
            pool.map(lambda login: _disabled(office, login), ("owner", "ada"))
        )  # at the same moment: one of them stays
    assert sorted(told) == [False, True]
    assert users.first_owner(office.hq, actor=TESTER) is None


def _disabled(office: Office, login: str) -> bool:
    try:
        return users.disable_user(office.hq, login, actor=TESTER)
    except ConfigurationError:
        return False


def test_logins_clients_and_names_are_checked(office: Office) -> None:
    office.add("ada")
    for login in ("", " ", "-ada", "a b", "a" * 65, "ада", "a/b", "a\nb", "a:b"):
        assert refusal(lambda name=login: users.add_user(office.hq, name, Role.READER, actor=TESTER))[1] == (  # type: ignore[misc]
            "user.login_invalid"
        )
    assert refusal(lambda: users.add_user(office.hq, "ADA", Role.READER, actor=TESTER))[1] == "user.exists"
    unknown: list[Callable[[], Any]] = [
        lambda: users.add_user(office.hq, "eve", Role.READER, actor=TESTER, client="nobody"),
        lambda: users.change_role(office.hq, "eve", Role.READER, actor=TESTER),
        lambda: users.disable_user(office.hq, "eve", actor=TESTER),
        lambda: users.enable_user(office.hq, "eve", actor=TESTER),
        lambda: users.reset_user(office.hq, "eve", actor=TESTER),
        lambda: second_factors.begin_totp(office.hq, office.signing, "eve", actor=TESTER),
        lambda: second_factors.end_totp(office.hq, "eve", actor=TESTER),
    ]
    assert {refusal(work)[0] for work in unknown} == {NotFoundError}
    assert [user.login for user in users.list_users(office.hq)] == ["ada"]  # nothing of what failed stays


def test_the_session_secret_is_the_home_s_own_for_this_account_only_or_long_enough(office: Office) -> None:
    file = office.settings.home / "session-secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Signing.of(office.settings) == office.signing == Signing(file.read_text().strip())
    assert len(office.signing.secret) == 64
    with pytest.raises(ConfigurationError, match="ENRICH_SESSION_SECRET has 5 characters"):
        Signing.of(replace(office.settings, session_secret="short"))
    assert Signing.of(replace(office.settings, session_secret="s" * 32)).secret == "s" * 32
    assert office.signing.secret not in repr(office.signing) + repr(replace(office.settings, session_secret="s" * 32))
