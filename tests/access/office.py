"""An installation with two clients, for users and keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from enrichment_assets.domain.access import Role
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.services.access import users
from enrichment_assets.services.access.logging_in import Attempt, LoggedIn, log_in
from enrichment_assets.services.access.signing import Signing
from enrichment_assets.services.catalog.configuration import add_client
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from tests.actors import TESTER

PASSWORD = "an owl flies at night"
HOME_NET, ELSEWHERE = "198.51.100.7", "203.0.113.9"


@dataclass
class Office:
    """An installation, and what one does at it."""

    hq: Hq
    settings: Settings
    signing: Signing

    def add(self, login: str, role: Role = Role.READER, client: str | None = None) -> None:
        """A user who has set a password."""
        made = users.add_user(self.hq, login, role, actor=TESTER, client=client)
        users.set_password(self.hq, made.token, PASSWORD)

    def log_in(
        self, login: str, password: str = PASSWORD, code: str = "", *, at: str = HOME_NET, device: str = ""
    ) -> LoggedIn:
        return log_in(self.hq, self.signing, Attempt(login, password, code, at, device))

    def change(self, statement: str) -> None:
        with self.hq.transaction() as connection:
            connection.execute(statement)

    def actions(self) -> list[tuple[str, str, str]]:
        """(actor, action, name), the first first."""
        with self.hq.transaction() as connection:
            rows = connection.execute("select actor, action, name from operator_actions order by id").fetchall()
        return [(row["actor"], row["action"], row["name"]) for row in rows]


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    with open_hq(settings) as hq:
        for client in ("acme", "globex"):
            add_client(hq, client, actor=TESTER)
        yield Office(hq, settings, Signing.of(settings))
