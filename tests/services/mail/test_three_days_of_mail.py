"""Three days of mail through Postfix, Exim, OpenSMTPD and Dovecot, with a sender that is killed: each arrives once.

Bounces and answers come back and stop what would follow. With `SOAK_PEOPLE=500 SOAK_KILLS=100` it is a thousand mails
over whole working days.
"""

from __future__ import annotations

import os
import random
from datetime import time, timedelta
from pathlib import Path

import pytest

from tests.harness.batches import BatchHarness
from tests.harness.fork_server import fork_server
from tests.mail.clock import Clock
from tests.services.mail.soak import CHILD, Soak, crowd, servers
from tests.services.mail.verdict import verdict
from tests.services.mail.world import PASSWORD

pytestmark = [pytest.mark.services, pytest.mark.timeout(1_200)]

PEOPLE, KILLS = int(os.environ.get("SOAK_PEOPLE", "30")), int(os.environ.get("SOAK_KILLS", "16"))
FEW = 60
STEP = timedelta(minutes=20)
"""Less than the half hour after which a mail is too late for its place."""


def test_each_mail_of_three_days_is_in_its_mailbox_once_and_what_comes_back_stops_what_would_follow(
    harness: BatchHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOAK_IMAP", PASSWORD)
    until = time(11) if PEOPLE <= FEW else time(17)
    people, clock = crowd(PEOPLE), Clock(harness.settings.hq_database_url or "")
    try:
        with servers(people) as world, fork_server(tmp_path / "sender.log", CHILD) as sender:
            soak = Soak(harness, world, clock, sender, people, KILLS, random.Random(18), STEP, until)
            soak.run()
            found = verdict(soak)
    finally:
        clock.close()
    print(dict(soak.happened), found)
    assert found == {}
    assert soak.happened["killed"] > KILLS // 4  # others had no mail at their point, or were over before
    assert soak.happened["ambiguous"] > soak.happened["ambiguous, not sent"] > 0  # some by their copy, some by a person
