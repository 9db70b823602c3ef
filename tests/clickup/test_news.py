"""Which changes of a task are news: not our own, not what is known, not what came late."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from enrichment_assets.domain.clickup.fields import RemoteField
from enrichment_assets.domain.clickup.incoming import Happened, SeenTask
from enrichment_assets.domain.clickup.news import Heard, Record, gone, news_of_happened, news_of_seen
from enrichment_assets.domain.delivery_events import DeliveryEvent, EventKind

T0 = datetime(2026, 11, 29, 9, tzinfo=UTC)
PHONE = RemoteField("f-phone", "Phone", "phone")
SEGMENT = RemoteField("f-segment", "Segment", "drop_down", (("a", "high-end"), ("b", "budget")))
OPPS = RemoteField("f-opps", "Top Opps", "text")
OURS, HERS = "+14065550100", "+14065550199"
RECORD = Record(
    delivery_id=7,
    is_deleted=False,
    columns={"Phone": "phone", "Segment": "segment", "Top Opps": None},
    written={"Phone": OURS, "Segment": "high-end", "Top Opps": "buy"},
    intended={},
    written_at=T0,
    heard={},
    status=None,
)
KINDS = {"contacted": EventKind.CONTACTED, "lost": EventKind.NOT_INTERESTED}


def at(minutes: int) -> datetime:
    return T0 + timedelta(minutes=minutes)


def changed(record: Record, field: RemoteField, value: str | None, minutes: int = 1) -> list[tuple[Any, ...]]:
    told = Happened("86a", EventKind.FIELD_CHANGED, f"item:{minutes}", at(minutes), "Rita", 1, field, value)
    return [said(one) for one in news_of_happened(record, told, KINDS)]


def looked(record: Record, *values: tuple[RemoteField, str | None], status: str = "new", minutes: int = 1) -> list[Any]:
    kind = "open" if status == "new" else "custom"
    task = SeenTask("86a", at(minutes), status, kind, archived=False, values=values)
    return [said(one) for one in news_of_seen(record, task, KINDS)]


def said(event: DeliveryEvent) -> tuple[Any, ...]:
    return event.kind.value, event.field, event.value


NEWS = [("field_changed", "phone", HERS)]


def test_what_a_rep_changes_is_news_and_our_own_write_that_comes_back_is_none() -> None:
    assert changed(RECORD, PHONE, HERS) == looked(RECORD, (PHONE, HERS)) == NEWS
    assert changed(RECORD, PHONE, "+1 406-555-0100") == looked(RECORD, (PHONE, OURS)) == []
    under_way = replace(RECORD, intended={"Phone": HERS})
    assert changed(under_way, PHONE, HERS) == looked(under_way, (PHONE, HERS)) == []
    assert changed(RECORD, PHONE, None) == [("field_changed", "phone", None)], "emptying is a correction too"


def test_what_is_known_is_told_once_whichever_way_it_comes_and_what_came_late_is_not() -> None:
    known = replace(RECORD, heard={"Phone": Heard(HERS, at(5))})
    assert changed(known, PHONE, HERS, 5) == looked(known, (PHONE, HERS), minutes=9) == []
    assert changed(known, PHONE, "+14065550150", 3) == [], "an older change that arrives after a newer one"
    assert changed(known, PHONE, "+14065550150", 6) == [("field_changed", "phone", "+14065550150")]


def test_a_rep_who_takes_a_correction_back_is_heard_and_a_later_write_of_ours_is_ours() -> None:
    known = replace(RECORD, heard={"Phone": Heard(HERS, at(5))})
    assert (
        changed(known, PHONE, OURS, 6) == looked(known, (PHONE, OURS), minutes=6) == [("field_changed", "phone", OURS)]
    )
    rewritten = replace(known, written_at=at(8))
    assert changed(rewritten, PHONE, OURS, 9) == looked(rewritten, (PHONE, OURS), minutes=9) == []


def test_an_option_that_was_renamed_is_no_correction_and_one_that_was_chosen_is() -> None:
    renamed = replace(SEGMENT, options=(("a", "High end"), ("b", "budget")))
    assert looked(RECORD, (renamed, "High end")) == []
    assert changed(RECORD, renamed, "budget") == [("field_changed", "segment", "budget")]
    assert looked(RECORD, (SEGMENT, "budget")) == [("field_changed", "segment", "budget")]


def test_a_number_that_was_not_sent_for_want_of_its_country_can_be_filled_in_by_a_rep() -> None:
    record = replace(RECORD, written={"Phone": "406 555 0100"})
    assert looked(record, (PHONE, None)) == []
    assert looked(record, (PHONE, HERS)) == changed(record, PHONE, HERS) == NEWS


def test_a_field_made_of_several_columns_is_noted_and_other_peoples_fields_are_nothing() -> None:
    assert changed(RECORD, OPPS, "lease") == [("noted", None, "lease")]
    heard = replace(RECORD, heard={"Top Opps": Heard("lease", at(1))})
    assert looked(heard, (OPPS, "lease"), minutes=2) == []
    other = RemoteField("f-next", "Next Step", "text")
    assert changed(RECORD, other, "call") == looked(RECORD, (other, "call")) == []
    by_id = replace(RECORD, columns={"f-phone": "phone"}, written={"f-phone": OURS})
    assert changed(by_id, replace(PHONE, name="Direct line"), HERS) == NEWS
    assert changed(RECORD, replace(PHONE, name="PHONE "), HERS) == NEWS


def test_a_status_is_told_once_and_means_what_the_connection_says() -> None:
    moved = Happened("86a", EventKind.STATUS_CHANGED, "item:9", at(9), "Rita", 1, None, "contacted")
    expected = [("status_changed", None, "contacted"), ("contacted", None, None)]
    assert [said(one) for one in news_of_happened(RECORD, moved, KINDS)] == expected
    assert looked(RECORD, status="contacted") == expected
    known = replace(RECORD, status=Heard("contacted", at(9)))
    assert list(news_of_happened(known, moved, KINDS)) == looked(known, status="contacted", minutes=12) == []
    assert looked(known, status="new", minutes=3) == [], "seen before the move, read after it"
    assert looked(known, status="new", minutes=12) == [("status_changed", None, "new")]
    assert looked(RECORD, status="new") == [], "the status that it was made with"
    assert looked(RECORD, status="Lost") == [("status_changed", None, "Lost"), ("not_interested", None, None)]


def test_a_deleted_task_is_told_once() -> None:
    deleted = Happened("86a", EventKind.DELETED, "deleted:86a", at(1))
    (one,) = news_of_happened(RECORD, deleted, KINDS)
    assert [one.key] == [two.key for two in gone(RECORD, "86a", at(2))] == ["deleted:86a"]
    known = replace(RECORD, is_deleted=True)
    assert list(news_of_happened(known, deleted, KINDS)) == list(gone(known, "86a", at(2))) == []
