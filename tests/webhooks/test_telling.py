"""What is written into the outbox, and when: with the thing itself, and of each lead once for each change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from enrichment_assets.domain.suppression import read_identity
from enrichment_assets.services.batches.advancing import mark_extracted
from enrichment_assets.services.operations.holding import pause, resume
from enrichment_assets.services.outgoing.leads import tell_of_leads
from enrichment_assets.services.people.suppressing import Terms, suppress
from enrichment_assets.store.database import connect
from enrichment_assets.store.outgoing import leads as store
from enrichment_assets.store.outgoing import messages
from enrichment_assets.warehouse import build_models, open_session, publish_batch_sources
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, people, step
from tests.warehouse.hq_data import Answer, Lead, seed_batch
from tests.webhooks.conftest import Desk, bodies

MATCH = "match-person-via-apollo"


def found(name: str, title: str, **cells: str) -> Lead:
    return Lead({"full_name": name, **cells}, [Answer(MATCH, {"t": title}, {"title": title})])


def published(desk: Desk, key: str = "acme-1") -> int:
    """Make the batch's tables and tell of them, as the asset does; how many events that gave."""
    settings = replace(desk.settings, sandbox_url=None)
    publish_batch_sources(desk.hq, settings, key)
    build_models(settings, key)
    with open_session(settings, key) as session:
        return tell_of_leads(desk.hq, session)


def told(desk: Desk) -> list[tuple[str, dict[str, Any]]]:
    return [(row["type"], row["data"]) for row in desk.rows("select type, data from outgoing_events order by id")]


def test_each_lead_is_told_of_once_and_again_when_its_content_changes(desk: Desk) -> None:
    desk.add(leads_per_message=100)
    leads = [found("Ada Byron", "CTO"), found("Bob Bell", "CEO")]
    ids = seed_batch(desk.connection, leads, batch_key="acme-1").item_ids
    desk.change("update workflow_states set status = 'PENDING', outcome = null where item_id = %s", ids[1])
    assert published(desk) == 1  # of Bob not everything is known yet
    ((kind, lead),) = told(desk)
    assert (kind, lead["full_name"], lead["title"], lead["batch_key"]) == ("lead.ready", "Ada Byron", "CTO", "acme-1")
    assert not {"cost", "steps", "is_finished", "email", "last_advanced_at", "client_slug"} & lead.keys()
    assert published(desk) == 0
    desk.change("update workflow_states set status = 'COMPLETED', outcome = 'found' where item_id = %s", ids[1])
    desk.change("update workflow_states set cost = 7, advanced_at = now() where item_id = %s", ids[0])
    assert published(desk) == 1  # what a lead cost is no news
    assert told(desk)[1][1]["full_name"] == "Bob Bell"
    desk.change(
        "insert into item_edits (client_id, batch_id, item_id, field, value, edited_by) "
        "select client_id, batch_id, id, 'title', 'Countess', 'cli:ada' from batch_items where id = %s",
        ids[0],
    )
    assert published(desk) == 1
    assert told(desk)[2][0] == "lead.changed" and told(desk)[2][1]["title"] == "Countess"
    assert desk.send().arrived == 2
    assert sorted(one["body"]["type"] for one in desk.taken()) == ["lead.changed", "lead.ready"]


def test_nothing_is_written_for_a_client_whom_nobody_asked_to_tell(desk: Desk) -> None:
    seed_batch(desk.connection, [found("Ada Byron", "CTO")], batch_key="acme-1")
    assert published(desk) == 0
    desk.add(events=["lead.changed"])
    assert published(desk) == 0  # it is told of changes alone, and this is none
    assert desk.rows("select 1 from outgoing_events") == []
    assert len(desk.rows("select 1 from outgoing_leads")) == 1


def test_whoever_said_no_meanwhile_is_not_told_of(desk: Desk) -> None:
    desk.add(leads_per_message=2)
    seed_batch(
        desk.connection,
        [found("Ada Byron", "CTO", email="ada@engines.example"), found("Bob Bell", "CEO", email="bob@engines.example")],
        batch_key="acme-1",
    )
    assert published(desk) == 2
    terms = Terms("said no")
    for address in ("ada@engines.example", "carl@nowhere.example"):
        suppress(desk.hq, desk.settings, read_identity(address), terms, actor=TESTER)
    pepper = desk.settings.suppression_pepper_file
    kept = pepper.read_text()
    pepper.unlink()
    assert (desk.send().arrived, desk.message()["attempts"]) == (0, 0)
    assert "pepper" in desk.message()["last_error"]
    pepper.write_text(kept)
    desk.due()
    assert desk.send().arrived == 1
    assert [lead["full_name"] for lead in bodies(desk.taken())[0]["leads"]] == ["Bob Bell"]
    suppress(desk.hq, desk.settings, read_identity("engines.example"), terms, actor=TESTER)
    desk.change("update outgoing_messages set state = 'waiting'")
    assert desk.send().arrived == 0
    assert (desk.message()["state"], len(desk.taken())) == ("withheld", 1)


def test_an_event_whose_data_was_taken_out_is_told_no_more(desk: Desk) -> None:
    desk.add()
    desk.event("lead.ready", item=1, item_id=1, full_name="Ada")
    desk.change("update outgoing_events set data = null")
    desk.send()
    assert (desk.message()["state"], desk.taken()) == ("withheld", [])


def test_an_event_that_is_committed_late_is_told_like_any_other(desk: Desk) -> None:
    """The one with the lower number is committed last."""
    desk.add()
    with connect(desk.settings.hq_database_url or "") as slow:
        slow.execute(
            "insert into outgoing_events (client_id, type, data) select id, 'batch.paused', '{\"batch\": \"early\"}' "
            "from clients where slug = 'acme'"
        )
        desk.event(batch="late")
        assert desk.send().arrived == 1
        slow.commit()
    assert desk.send().arrived == 1
    assert [one["batch"] for one in bodies(desk.taken())] == ["late", "early"]


def test_batches_tell_of_their_pauses_their_end_and_a_budget_without_room(desk: Desk, harness: BatchHarness) -> None:
    desk.add(events=["batch.paused", "batch.resumed", "batch.finished", "budget.exhausted"])
    batch = harness.launch(people(3), step("find"), key="acme-1")
    pause(desk.hq, "acme-1", reason="the offer changes", actor=TESTER)
    resume(desk.hq, "acme-1", actor=TESTER)
    batch.set_budget("0.01", batch=True)
    batch.run()
    mark_extracted(desk.hq, "acme-1")  # it is not finished: no word of it
    kinds = [kind for kind, _ in told(desk)]
    assert kinds == ["batch.paused", "batch.resumed", "batch.paused", "budget.exhausted"]
    assert told(desk)[0][1] == {"batch": "acme-1", "workflow": None, "reason": "the offer changes"}
    exhausted = told(desk)[3][1]
    assert (exhausted["batch"], exhausted["covers"], exhausted["amount"]) == ("acme-1", "batch", "0.010000")
    batch.change("delete from budgets")
    resume(desk.hq, "acme-1", actor=TESTER)
    batch.run()
    for _ in range(2):  # the tables may be made as often as somebody likes
        mark_extracted(desk.hq, "acme-1")
    finished = [data for kind, data in told(desk) if kind == "batch.finished"]
    assert len(finished) == 1 and (finished[0]["batch"], finished[0]["leads"]) == ("acme-1", 3)
    assert finished[0]["steps"] == {"found": 3}
    assert desk.send().arrived == len(told(desk)) == 6


def test_what_is_rolled_back_is_not_told(desk: Desk) -> None:
    desk.add()
    seed_batch(desk.connection, [found("Ada Byron", "CTO")], batch_key="acme-1")
    try:
        with desk.hq.transaction() as connection:
            listener = store.listener_of(connection, "acme-1")
            assert listener is not None
            assert store.tell(connection, listener, [store.Told(1, b"x", "{}", 2)]) == 1
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert told(desk) == []


def test_leads_by_the_thousand_are_told_of_and_laid_out_by_one_statement_each(desk: Desk) -> None:
    desk.add(leads_per_message=100)
    seed_batch(desk.connection, [found("Ada Byron", "CTO")], batch_key="acme-1")

    def every(content: bytes) -> Sequence[store.Told]:
        return [store.Told(item, content, '{"full_name": "' + "x" * 500 + '"}', 520) for item in range(1, 20_001)]

    with desk.hq.transaction() as connection:
        listener = store.listener_of(connection, "acme-1")
        assert listener is not None
        assert [store.tell(connection, listener, every(content)) for content in (b"a", b"a", b"b")] == [
            20_000,
            0,
            20_000,
        ]
    with desk.hq.transaction() as connection:
        assert [messages.lay_out(connection) for _ in range(3)] == [20_000, 20_000, 0]
    counted = desk.rows(
        "select type, max(cardinality(events)) as most, sum(cardinality(events)) as leads, count(*) < 250 as are_few "
        "from outgoing_messages group by type order by type"
    )
    assert [tuple(row.values()) for row in counted] == [
        ("lead.changed", 100, 20_000, True),
        ("lead.ready", 100, 20_000, True),
    ]
