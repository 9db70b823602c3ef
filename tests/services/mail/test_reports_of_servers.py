"""What the servers of these packages report is read as what happened, and the collected reports are what they write."""

from __future__ import annotations

import re

import pytest

from enrichment_assets.domain.mail.inbound import judge
from tests.inbound.test_bounces import BY_REPORT, COLLECTED
from tests.services.mail.collect import cases, reports, send
from tests.services.mail.world import MailWorld

_FORM = re.compile(rb"(?im)^(content-type:[^;\n]*|action:|status:|[\w-]+-recipient:|diagnostic-code:)")

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]


def test_every_report_is_read_as_what_happened_and_the_collected_ones_are_as_they_are_written(world: MailWorld) -> None:
    for name, case in cases().items():
        send(world, name, case)
    expected = {name: said for name, said in BY_REPORT.items() if "-expired-" not in name}
    counts = {name: sum(one.startswith(name) for one in expected) for name in cases()}
    world.until(lambda: all(len(reports(world, name)) >= count for name, count in counts.items()), 90)
    for name, count in counts.items():
        found = reports(world, name)
        files = [f"{name}-{n}" for n in range(count)] if count > 1 else [name] * count
        told = [{bounce.recipient: bounce.kind for bounce in judge(report).bounces} for report in found]
        for file in files:
            assert expected[file] in told, (file, told)
            assert _form((COLLECTED / f"{file}.eml").read_bytes()) in [_form(report) for report in found], file


def _form(report: bytes) -> list[bytes]:
    """How a report is built: the types of its parts and the names of its fields, in their order."""
    ours = re.split(rb"message/rfc822|text/rfc822-headers", report)[0]
    return [found.lower().replace(b" ", b"") for found in _FORM.findall(ours)]
