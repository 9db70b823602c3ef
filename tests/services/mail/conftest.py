"""The servers run once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.mail.collect import cases
from tests.services.mail.world import MailWorld

READ = "reader"
"""A mailbox at agency.example that is for tests of reading."""


@pytest.fixture(scope="session")
def world() -> Iterator[MailWorld]:
    """Four servers, each with anna and bert; each case of `collect` has a mailbox of its own."""
    with MailWorld(senders=[READ, *cases()]) as world:
        yield world
