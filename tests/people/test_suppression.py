"""Nobody who said no is bought: before, during and after a run, by a retry, from another batch, however written."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.suppression import Identity, Kind, person_at_company, read_identity
from enrichment_assets.services.operations.history import list_history
from enrichment_assets.services.operations.retrying import retry
from enrichment_assets.services.people.importing import import_list
from enrichment_assets.services.people.suppressing import Terms, is_suppressed, lift, list_suppressed, suppress
from enrichment_assets.store.database import connect
from tests.actors import TESTER
from tests.engine.hostile_server import answering
from tests.harness.batches import BatchHarness, Launched, company_step, step
from tests.harness.handles import hq_of
from tests.recovery.conftest import RegisteredBatch

NO = Terms("said no")


@pytest.fixture
def launcher(harness: RegisteredBatch) -> BatchHarness:
    return BatchHarness(harness.settings, harness.hq, harness.sandbox, harness.folder)


def rows(*emails: str) -> list[dict[str, str]]:
    return [{"first_name": f"Ann{n}", "n": str(n), "email": email} for n, email in enumerate(emails, 1)]


def say_no(batch: Launched, *whom: str | Identity, terms: Terms = NO) -> None:
    for one in whom:
        identity = read_identity(one) if isinstance(one, str) else one
        assert suppress(hq_of(batch.settings), batch.settings, identity, terms, actor=TESTER)


def reasons(batch: Launched, slug: str) -> list[str | None]:
    return [row["reason"] for row in batch.states(slug)]


def test_whoever_said_no_is_skipped_in_every_step_and_the_others_are_asked(launcher: BatchHarness) -> None:
    batch = launcher.launch(
        rows("ann@acme.com", "B.e.n+x@GoogleMail.com", "cid@mail.beta.com", "dan@gamma.com"), step("find"), step("more")
    )
    say_no(batch, "Ann@Acme.com", "ben@gmail.com", "beta.com")
    batch.run()
    for slug in ("find", "more"):
        assert reasons(batch, slug) == ["suppressed: said no"] * 3 + [None]
        assert batch.asked(slug) == 1
    retry(hq_of(batch.settings), batch.settings, batch.key, actor=TESTER)
    batch.change("update workflow_states set status = 'PENDING' where status = 'SKIPPED'")
    batch.run()
    other = launcher.launch(rows("ann+again@acme.com"), step("find"))
    other.run()
    assert (batch.asked("find"), other.statuses()) == (1, {"SKIPPED": 1}), "by no retry, and in no other batch"


def test_one_clients_no_is_not_anothers_and_an_expired_one_is_over(launcher: BatchHarness) -> None:
    ours = launcher.launch(rows("ann@acme.com"), step("find"))
    theirs = launcher.launch(rows("ann@acme.com"), step("find"), client="globex")
    say_no(ours, "ann@acme.com", terms=Terms("no", client="acme"))
    ours.run()
    theirs.run()
    assert (ours.statuses(), theirs.statuses()) == ({"SKIPPED": 1}, {"COMPLETED": 1})
    ours.change("update suppressions set expires_at = now() - interval '1 s'")
    later = launcher.launch(rows("ann@acme.com"), step("find"))
    later.run()
    assert later.statuses() == {"COMPLETED": 1}
    with pytest.raises(NotFoundError, match=r"no client 'acm'.*did you mean 'acme'"):
        suppress(hq_of(ours.settings), ours.settings, read_identity("a@b.de"), Terms("no", client="acm"), actor=TESTER)


def test_the_first_no_of_an_installation_counts_for_the_run_that_is_under_way(launcher: BatchHarness) -> None:
    launcher.sandbox.configure(latency="100ms")
    batch = launcher.launch(rows(*["ann@acme.com"] * 30), step("find", limits={"per_second": 20, "concurrency": 2}))
    running = threading.Thread(target=batch.run)
    running.start()
    while len(batch.calls()) < 3:
        assert running.is_alive()
        time.sleep(0.01)
    say_no(batch, "ann@acme.com")
    intents = len(batch.calls())
    running.join()
    assert len(batch.calls()) == intents < 30
    assert batch.statuses() == {"COMPLETED": intents, "SKIPPED": 30 - intents}


def test_an_address_that_a_step_finds_stops_the_next_one(launcher: BatchHarness) -> None:
    with answering() as server:
        server.bodies["/x"] = b'{"found": true, "mail": "ann@acme.com"}'
        url = {"url": server.url + "/x", "body": {"n": "{{original.n}}"}}
        batch = launcher.launch(
            [{"first_name": "Ann", "n": "1"}],
            step("find", request=url, provides={"email": "mail"}),
            step("write", requires=["email"]),
        )
        say_no(batch, "ann@acme.com")
        batch.run()
    assert batch.statuses("find") == {"COMPLETED": 1}
    assert reasons(batch, "write") == ["suppressed: said no"] and batch.asked("write") == 0


def test_a_person_at_a_company_a_profile_and_a_number_are_recognised_and_a_domain_stops_its_company_too(
    launcher: BatchHarness,
) -> None:
    people = [
        {"First Name": "Ann", "Last Name": "Archer", "Company": "Acme GmbH", "Website": "https://acme.com"},
        {
            "First Name": "Ben",
            "Last Name": "Brown",
            "Company": "Beta",
            "LinkedIn": "https://uk.linkedin.com/in/Ben-Brown/",
        },
        {"First Name": "Cid", "Last Name": "Carter", "Company": "Gamma", "Phone": "+1 (212) 736-5000"},
        {"First Name": "Dan", "Last Name": "Dean", "Company": "Delta", "Website": "https://shop.delta.org"},
        {"First Name": "Eve", "Last Name": "Ende", "Company": "Acme GmbH", "Website": "https://acme.com"},
    ]
    names = list({name: 1 for row in people for name in row})
    batch = launcher.launch(
        [{name: row.get(name, "") for name in names} for row in people], step("find"), company_step("firm")
    )
    say_no(batch, person_at_company("Dr. Ann ARCHER", "ACME"), "linkedin.com/in/ben-brown", "+12127365000", "delta.org")
    batch.run()
    assert [row["status"] for row in batch.states("find")] == ["SKIPPED"] * 4 + ["COMPLETED"]
    assert [row["status"] for row in batch.states("firm")] == ["COMPLETED"] * 3 + ["SKIPPED", "COMPLETED"]


def test_a_provider_that_may_not_process_a_person_is_heeded_by_the_next_batch_and_the_next_provider(
    launcher: BatchHarness,
) -> None:
    with answering() as server:
        server.status = 451
        batch = launcher.launch(rows("ann@acme.com"), step("find", request={"url": server.url + "/x"}), step("more"))
        batch.run()
    assert [reason and reason.partition(":")[0] for reason in reasons(batch, "find")] == ["suppressed"]
    again = launcher.launch(rows("ann@acme.com"), step("other"))
    again.run()
    assert again.statuses() == {"SKIPPED": 1} and again.asked("other") == 0
    (kept,) = list_suppressed(hq_of(batch.settings), batch.settings, client="acme", limit=10, plain=True)
    assert (kept.kind, kept.value, kept.client, kept.actor) == ("email", "ann@acme.com", "acme", "provider:http")
    theirs = launcher.launch(rows("ann@acme.com"), step("other"), client="globex")
    theirs.run()
    assert theirs.statuses() == {"COMPLETED": 1}


def test_without_its_pepper_nothing_is_bought_and_nobody_is_added_until_it_is_back(launcher: BatchHarness) -> None:
    batch = launcher.launch(rows("ann@acme.com", "ben@beta.com"), step("find"))
    say_no(batch, "ann@acme.com")
    file = batch.settings.suppression_pepper_file
    assert file.stat().st_mode & 0o777 == 0o600
    pepper = file.read_text()
    for settings, what in (
        (batch.settings, "is not set"),
        (replace(batch.settings, suppression_pepper="quite another pepper"), "is another"),
    ):
        file.unlink(missing_ok=True)
        other = replace(batch, settings=settings)
        report = other.run()
        assert "has not the pepper of their hashes" in report.stopped["find"]
        assert (batch.calls(), batch.statuses()) == ([], {"PENDING": 2})
        assert not file.exists(), "a new pepper would recognise nobody"
        with pytest.raises(ConfigurationError, match=f"the pepper {what}.*ENRICH_SUPPRESSION_PEPPER"):
            suppress(hq_of(settings), settings, read_identity("cid@c.de"), NO, actor=TESTER)
        with pytest.raises(ConfigurationError, match="the pepper"):
            is_suppressed(hq_of(settings), settings, read_identity("ann@acme.com"), client=None)
    restored = replace(batch, settings=replace(batch.settings, suppression_pepper=pepper.strip()))
    restored.run()
    assert [row["status"] for row in batch.states("find")] == ["SKIPPED", "COMPLETED"]


def test_what_an_earlier_version_kept_in_plain_text_is_hashed_by_the_first_run(launcher: BatchHarness) -> None:
    batch = launcher.launch(rows("ann@acme.com", "ben@beta.com", "cid@c.de"), step("find"))
    kept = [("email", "ANN@acme.com"), ("email", "ann@acme.com "), ("domain", "beta.com"), ("linkedin", "no such page")]
    for number, (kind, value) in enumerate(kept):
        batch.change(
            "insert into suppressions (client_id, kind, value, hash, reason) "
            "select client_id, %s, %s, decode(md5(%s), 'hex'), 'old' from batches where id = %s",
            kind,
            value,
            str(number),
            batch.batch_id,
        )
    batch.change("update suppression_state set version = version + 1")
    batch.run()
    assert [row["status"] for row in batch.states("find")] == ["SKIPPED", "SKIPPED", "COMPLETED"]
    left = batch.rows("select kind, value, length(hash) as bytes from suppressions order by id")
    assert [(row["kind"], row["value"], row["bytes"]) for row in left] == [
        ("email", None, 32),
        ("domain", None, 32),
        ("linkedin", None, 32),
    ], "two rows that name one person are one"


def test_nothing_of_a_person_stands_in_plain_text_and_every_change_says_who_and_why(launcher: BatchHarness) -> None:
    batch = launcher.launch(rows("dan@gamma.com"), step("find"))
    hq = hq_of(batch.settings)
    say_no(batch, "unmistakable.name@acme.com")
    assert not suppress(hq, batch.settings, read_identity("Unmistakable.Name@acme.com"), NO, actor=TESTER)
    for table in ("suppressions", "operator_actions", "suppression_state"):
        text = "".join(row["t"] for row in batch.rows(f"select t::text from {table} t"))
        assert "unmistakable" not in text.lower() and "acme.com" not in text.lower()
    (shown,) = list_suppressed(hq, batch.settings, client=None, limit=10)
    assert (shown.value, shown.reason, shown.actor) == ("u***@acme.com", "said no", "cli:tester")
    assert (
        lift(
            hq, batch.settings, read_identity("unmistakable.name@acme.com"), client=None, everywhere=False, actor=TESTER
        )
        == 1
    )
    with pytest.raises(NotFoundError, match="that email is not suppressed for every client"):
        lift(
            hq, batch.settings, read_identity("unmistakable.name@acme.com"), client=None, everywhere=False, actor=TESTER
        )
    assert [a.action for a in list_history(hq)][:3] == ["suppression.remove", "suppression.add", "suppression.add"]
    with pytest.raises(ConfigurationError, match="say why"):
        Terms("  ")


LISTS: list[tuple[str, str, dict[str, int], int]] = [
    ("one column without a header", "ann@acme.com\nben@beta.com\nnobody\n", {"email": 2}, 1),
    ("one column with a header", "E-Mail\nann@acme.com\nANN@acme.com\n\nben@beta.com\n", {"email": 2}, 0),
    ("anything in one column", "ann@acme.com\n+12127365000\nlinkedin.com/in/ann\nacme.com\ngmail.com\n",
     {"domain": 1, "email": 1, "linkedin": 1, "phone": 1}, 1),
    ("an export of persons", "First Name,Last Name,Email,Phone,Company,Website\n"
     "Ann,Archer,ann@acme.com,+12127365000,Acme,https://acme.com\nBen,Brown,,,Beta,https://beta.com\n,,,,Gamma,gamma.com\n",
     {"email": 1, "person": 1, "phone": 1}, 1),
    ("a list of domains", "Company;Website\nAcme;https://www.acme.com/\nBeta;beta.co.uk\n", {"domain": 2}, 0),
    ("windows-1252", "Email;Name\njosé@acme.com;José\nben@beta.com;Ben\n", {"email": 2}, 0),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text", "kinds", "faults"), LISTS, ids=[one[0] for one in LISTS])
def test_a_list_of_people_who_said_no_is_read_as_it_comes(
    harness: RegisteredBatch, tmp_path: Path, what: str, text: str, kinds: dict[str, int], faults: int
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode("cp1252"))
    hq = hq_of(harness.settings)
    tried = import_list(hq, harness.settings, path, NO, actor=TESTER, dry_run=True)
    assert (dict(tried.kinds), tried.not_understood, len(tried.faults)) == (kinds, faults, faults), tried.faults
    assert list_suppressed(hq, harness.settings, client=None, limit=10) == []
    done = import_list(hq, harness.settings, path, NO, actor=TESTER)
    assert (done.added, done.known) == (sum(kinds.values()), 0)
    assert import_list(hq, harness.settings, path, NO, actor=TESTER).known == sum(kinds.values())


def test_the_commands_teach_and_say_what_they_did(
    harness: RegisteredBatch, enrich: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    def said(*arguments: str) -> str:
        return enrich("suppress", *arguments)[1]

    assert "say why" in said("add", "ann@acme.com")
    assert said("add", "ann@acme.com", "--reason", "ticket 812").startswith(
        "that e-mail address is suppressed for every client\n"
    )
    assert "was suppressed before" in said("add", "Ann@acme.com", "--reason", "again")
    assert "would suppress everybody" in said("add", "gmail.com", "--reason", "x")
    assert "say whom" in said("add", "--reason", "x")
    person: tuple[str, ...] = ("--name", "Ann Archer", "--company", "acme.com")
    assert "that person at that company is suppressed for client acme for 30 days" in said(
        "add", *person, "--client", "acme", "--days", "30", "--reason", "x"
    )
    assert "suppressed for every client by cli:" in said("check", "ann+news@acme.com")
    assert said("check", "dan@acme.com") == "that e-mail address is not suppressed\n"
    listed: list[dict[str, Any]] = json.loads(said("list", "--json"))
    assert [(one["kind"], one["value"], one["client"]) for one in listed] == [
        ("person", "a*** a*** at acme.com", "acme"),
        ("email", "a***@acme.com", None),
    ]
    with connect(harness.settings.hq_database_url or "") as connection:
        connection.execute("update suppressions set sealed = null where kind = 'person'")
        connection.commit()
    assert "(erased: by hash alone)" in said("list") and "another pepper" not in said("list")
    assert "ann@acme.com" in said("list", "--plain") and "ann@acme.com" not in said("list")
    path = tmp_path / "no.csv"
    path.write_text("Email\nben@beta.com\nwhat\n")
    assert "1 rows" not in said("import", str(path), "--reason", "x", "--dry-run")
    code, text = enrich("suppress", "import", str(path), "--reason", "old tool", "--client", "acme")
    assert code == 0 and "2 rows name 1 email" in text and "1 are suppressed for client acme, 0 were before" in text
    assert "line 3: 'what' is no e-mail address" in text
    assert "there is no file" in said("import", str(tmp_path / "none.csv"), "--reason", "x")
    assert "not suppressed for client acme any more" in said("remove", "ben@beta.com", "--client", "acme")
    assert "is not suppressed anywhere" in said("remove", "ben@beta.com", "--everywhere")
    assert Identity(Kind.EMAIL, "ann@acme.com") == read_identity("ann@acme.com")
