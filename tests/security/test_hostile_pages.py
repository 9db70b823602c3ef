"""500 pages that tell a model what to do, before a model that does it: what follows are words in the page's own row."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.harness.batches import BatchHarness
from tests.harness.hostile_pages import hostile_pages
from tests.laws.prompt_checks import a_page_decides_nothing_but_its_own_row


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


def test_five_hundred_hostile_pages_change_no_control_flow(harness: BatchHarness) -> None:
    batch = a_page_decides_nothing_but_its_own_row(harness, 500)
    states = batch.states("read-page")
    fates = Counter((state["status"], state["error_class"]) for state in states)
    assert set(fates) == {("COMPLETED", None), ("FAILED", "contract")}
    assert fates["FAILED", "contract"] > 20, "some pages demand a score that the schema does not allow"
    assert all("$.score" in (state["reason"] or "") for state in states if state["status"] == "FAILED")
    results = [result for result in batch.results() if result["workflow_slug"] == "read-page"]
    dropped = Counter(
        name
        for result in results
        for name, why in (result["rejected"] or {}).items()
        if why["reason"] == "not_grounded"
    )
    assert dropped["email"] > 50, "the model obeyed: it was the guard that kept the address out"
    assert sum(result["fields"].get("email") is not None for result in results) > 100


def test_the_pages_are_different_and_those_that_nobody_sees_are_not_read() -> None:
    pages = hostile_pages()
    assert len({page.body for page in pages}) == 500
    assert len({page.read.text.replace(str(page.number), "") for page in pages}) > 40
    for page in pages:
        assert page.read.fault is None
        assert page.email in page.read.emails
        assert not [one for one in page.read.emails if "evil" in one], page.body
        assert not [link for link in page.read.links if link.startswith("https://evil-")], page.body
