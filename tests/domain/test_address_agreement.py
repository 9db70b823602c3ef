"""Whether the sources of one address agree, and when an address is confirmed: the rule as a step sees it.

The same rule in SQL is held to this one by `tests/warehouse/test_one_merge.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from enrichment_assets.domain.contacts import best_email
from enrichment_assets.domain.merge_policy import Given, Source

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ADDRESS = "ada@acme.example"


def found(slug: str, status: str | None, provider: str | None = None, **more: Any) -> Given:
    record = {"address": ADDRESS, "status": status, **more}
    kept = {name: value for name, value in record.items() if value is not None}
    return Given(Source("workflow", slug, provider or slug.rpartition("-")[2]), {"email_records": [kept]}, NOW)


def judged(slug: str, status: str, **more: Any) -> Given:
    return found(slug, status, role="verdict", **more)


UPLOADED = Given(Source("upload"), {"email": ADDRESS}, NOW)
HUNTER, FULLENRICH = found("find-email-via-hunter", "accept_all"), found("find-emails-via-fullenrich", "CATCH_ALL")

CASES = [
    # given, (verdict, sources_disagree, finders, is_confirmed)
    ([UPLOADED], (None, False, 0, False)),
    ([UPLOADED, judged("verify-a", "valid")], ("valid", False, 0, True)),
    ([UPLOADED, judged("verify-a", "valid"), judged("verify-b", "unknown")], ("valid", False, 0, True)),
    ([UPLOADED, judged("verify-a", "valid"), judged("verify-b", "invalid")], ("invalid", True, 0, False)),
    ([UPLOADED, judged("verify-a", "valid"), judged("verify-b", "catch-all")], ("accept_all", True, 0, False)),
    ([UPLOADED, judged("verify-a", "invalid"), judged("verify-b", "spamtrap")], ("spamtrap", False, 0, False)),
    ([UPLOADED, judged("verify-a", "risky"), judged("verify-b", "catch-all")], ("accept_all", False, 0, False)),
    ([HUNTER], ("accept_all", False, 1, False)),
    ([HUNTER, FULLENRICH], ("accept_all", False, 2, True)),
    ([HUNTER, FULLENRICH, judged("verify-a", "invalid")], ("invalid", True, 2, False)),
    ([HUNTER, judged("verify-a", "valid")], ("valid", True, 1, False)),
    ([HUNTER, FULLENRICH, judged("verify-a", "valid")], ("valid", True, 2, True)),
    ([HUNTER, found("find-people-via-hunter", "accept_all", "hunter")], ("accept_all", False, 1, False)),
    ([HUNTER, found("match-person-via-apollo", "verified", "apollo")], ("accept_all", True, 1, False)),
    ([UPLOADED, HUNTER, found("match-person-via-apollo", None, "apollo")], ("accept_all", False, 1, False)),
    ([HUNTER, found("find-x", None, rejected="not_an_address")], ("accept_all", False, 1, False)),
    ([found("find-a", "valid"), found("find-b", "unknown")], ("valid", False, 2, True)),
    ([UPLOADED, judged("verify-a", "an odd word")], ("an odd word", False, 0, False)),
]


@pytest.mark.parametrize(("given", "expected"), CASES)
def test_what_sources_say_of_one_address_is_kept_beside_the_verdict(
    given: list[Given], expected: tuple[str | None, bool, int, bool]
) -> None:
    said = best_email(given, NOW)
    known = ("email_verdict", "email_sources_disagree", "email_finders", "email_is_confirmed")
    assert tuple(said[name] for name in known) == expected
    assert best_email(list(reversed(given)), NOW) == said


def test_what_is_said_of_another_address_is_no_disagreement_about_this_one() -> None:
    other = Given(
        Source("workflow", "verify-a", "a"),
        {"email_records": [{"address": "bob@acme.example", "status": "invalid", "role": "verdict"}]},
        NOW,
    )
    said = best_email([UPLOADED, judged("verify-b", "valid"), other], NOW)
    assert (said["email_sources_disagree"], said["email_is_confirmed"]) == (False, True)
