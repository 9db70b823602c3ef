"""What comes back is taken once, and what follows from it: suppressions, stops, pauses, corrections."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from enrichment_assets.domain.delivery_events import DeliveryEvent, EventKind, EventSource, paused_until
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.suppression import Hasher, Identity, Kind, read_identity
from enrichment_assets.services.batches.extracting import bring_up_to_date
from enrichment_assets.services.deliveries.coming_back import Taken, take
from enrichment_assets.services.insight.queries import ask
from enrichment_assets.services.people.pepper import pepper_of
from enrichment_assets.services.people.suppressing import is_suppressed
from enrichment_assets.store.deliveries import stops
from tests.harness.batches import BatchHarness, Launched, step
from tests.harness.handles import hq_of

NOW = datetime.now(UTC)


def event(kind: EventKind, key: str, **said: Any) -> DeliveryEvent:
    return DeliveryEvent(kind, said.pop("at", NOW - timedelta(hours=1)), key, **said)


class Desk:
    """A batch of three leads, and a connection of its client by which things come back."""

    def __init__(self, batch: Launched) -> None:
        self.batch = batch
        self.hq, self.settings = hq_of(batch.settings), batch.settings
        client = batch.rows("select client_id from batches where id = %s", batch.batch_id)[0]["client_id"]
        self.source = EventSource(client, "acme-crm", "clickup")
        self.items = [row["id"] for row in batch.rows("select id from batch_items order by row_number")]

    def take(self, *events: DeliveryEvent) -> Taken:
        return take(self.hq, self.settings, self.source, events)

    def suppressed(self, address: str) -> list[str]:
        found = is_suppressed(self.hq, self.settings, read_identity(address), client="acme")
        return [one.reason for one in found]

    def stopped(self, *identities: Identity) -> list[str | None]:
        pepper = pepper_of(self.hq, self.settings)
        assert pepper is not None
        whos = [Hasher(pepper).hashed(one) for one in identities]
        with self.hq.transaction() as connection:
            found = stops.stopped(connection, self.source.client_id, whos, [None] * len(whos))
        return [None if one is None else one[0] for one in found]

    def followed(self) -> dict[str, str | None]:
        return {row["key"]: row["followed"] for row in self.batch.rows("select key, followed from delivery_events")}


@pytest.fixture
def desk(harness: BatchHarness) -> Desk:
    rows = [
        {"first_name": "Ann", "last_name": "Archer", "email": "ann@acme.com", "company_name": "Acme", "n": "1",
         "linkedin_url": "linkedin.com/in/ann-archer"},
        {"first_name": "Ben", "last_name": "Baker", "email": "ben@beta.com", "company_name": "Beta", "n": "2"},
        {"first_name": "Cid", "last_name": "Cole", "email": "cid@gamma.com", "company_name": "Gamma", "n": "3"},
    ]  # fmt: skip
    return Desk(harness.launch(rows, step("find")))


def email(address: str) -> Identity:
    return Identity(Kind.EMAIL, address)


def test_an_event_is_taken_once_and_who_says_no_is_suppressed_for_this_client_alone(desk: Desk) -> None:
    no = event(EventKind.UNSUBSCRIBED, "u1", address="Ann+news@Acme.com")
    spam = event(EventKind.COMPLAINED, "c1", address="zed@other.org")
    # A CRM says it of a record; nobody is named but by the lead: all by which they are known.
    crm = event(EventKind.UNSUBSCRIBED, "u2", item_id=desk.items[1])
    nobody = event(EventKind.UNSUBSCRIBED, "u3", address="not an address")
    assert desk.take(no, spam, crm, nobody, no) == Taken(new=4, known=1, suppressed=4, stopped=4)
    assert desk.take(no, spam, crm, nobody) == Taken(known=4)
    assert desk.suppressed("ann@acme.com") == ["unsubscribed: told by acme-crm"]
    assert desk.suppressed("zed@other.org") == ["complained: told by acme-crm"]
    assert desk.suppressed("ben@beta.com") == ["unsubscribed: told by acme-crm"]
    assert desk.followed()["u3"] == "nothing: whom it is about is not known"
    assert desk.batch.rows("select distinct client_id from suppressions") == [{"client_id": desk.source.client_id}]
    said = desk.batch.rows("select actor, action, name from operator_actions where action = 'suppression.add'")
    assert {tuple(row.values()) for row in said} == {("event:acme-crm", "suppression.add", "acme-crm")}
    # The same key of another connection is another event.
    other = EventSource(desk.source.client_id, "acme-mail", "postmark")
    assert take(desk.hq, desk.settings, other, [no]) == Taken(new=1)


def test_a_reply_stops_by_all_that_a_person_is_known_by_and_an_auto_reply_puts_off(desk: Desk) -> None:
    back = NOW + timedelta(days=12)
    desk.take(
        event(EventKind.REPLIED, "r1", address="ann@acme.com", item_id=desk.items[0]),
        event(EventKind.AUTO_REPLIED, "a1", address="ben@beta.com", until=back),
        event(EventKind.AUTO_REPLIED, "a2", address="cid@gamma.com", at=NOW - timedelta(days=30)),
        event(EventKind.OPENED, "o1", address="cid@gamma.com"),
    )
    profile = read_identity("linkedin.com/in/ann-archer")
    assert desk.stopped(email("ann@acme.com"), profile, email("ben@beta.com"), email("cid@gamma.com")) == [
        "replied", "replied", "out of office", None
    ]  # fmt: skip
    assert desk.followed() == {"r1": "stopped", "a1": f"put off until {back:%Y-%m-%d}", "a2": None, "o1": None}
    # A later reply of the one who is away stops for good; what lasts longest counts.
    desk.take(event(EventKind.ASKED_TO_STOP, "s1", address="ben@beta.com"))
    assert desk.stopped(email("ben@beta.com")) == ["asked to stop"]
    assert desk.suppressed("ben@beta.com") == [], "whether it was a no, a person decides"
    hashed = Hasher(pepper_of(desk.hq, desk.settings) or "").hashed(email("ben@beta.com"))
    with desk.hq.transaction() as connection:
        assert stops.lift(connection, desk.source.client_id, [hashed]) == 2
    assert desk.stopped(email("ben@beta.com")) == [None]


def test_a_bounce_judges_its_address_and_a_correction_is_an_edit_that_is_not_overtaken(desk: Desk) -> None:
    ann, ben, cid = desk.items
    early, late = NOW - timedelta(hours=5), NOW - timedelta(hours=2)
    changed = EventKind.FIELD_CHANGED
    taken = desk.take(
        event(EventKind.BOUNCED, "b1", address="ann@acme.com", linkedin_url="linkedin.com/in/ann-archer", item_id=ann),
        event(EventKind.BOUNCED_POLICY, "b2", address="cid@gamma.com", item_id=cid, reason="550 5.7.1"),
        event(changed, "f2", item_id=ben, field="phone", value="+1 202 555 0123", actor="Jane Roe", at=late),
        event(changed, "f3", item_id=ben, field="phone", value="n/a", actor="Jane Roe"),
        event(changed, "f4", item_id=ben, field="batch_key", value="x", actor="Jane Roe"),
        event(changed, "f5", item_id=ben, field="title", value=None, actor=None),
    )
    assert (taken.new, taken.suppressed, taken.edited) == (6, 1, 3)
    # One that comes late (the webhook was lost, the pull found it) does not overtake what was said after it.
    assert desk.take(event(changed, "f1", item_id=ben, field="phone", value="+1 202 555 0199", at=early)).edited == 0
    edits = desk.batch.rows("select item_id, field, value, edited_by, note from item_edits order by item_id, field")
    assert [tuple(row.values()) for row in edits] == [
        (ann, "email_status", "bounced", "clickup", "ann@acme.com"),
        (ben, "phone", "+12025550123", "clickup:Jane Roe", "told by acme-crm"),
        (ben, "title", None, "clickup", "told by acme-crm"),
    ]
    assert desk.suppressed("ann@acme.com") == ["bounced: told by acme-crm"]
    assert desk.suppressed("cid@gamma.com") == [], "a policy says nothing of the address"
    followed = desk.followed()
    assert followed["b1"] == "suppressed, email_status edited"
    assert followed["b2"] is None
    assert followed["f1"] == "nothing: phone says so, or was corrected later"
    assert (followed["f3"] or "").startswith("nothing: `phone` cannot be 'n/a'")
    assert (followed["f4"] or "").startswith("nothing: `batch_key` cannot be corrected")
    bring_up_to_date(desk.hq, desk.settings, desk.batch.key)
    asked = "select email, email_status, phone from final_leads order by row_number"
    with ask(desk.hq, desk.settings, asked, client="acme", batch=desk.batch.key) as answer:
        assert list(answer.rows()) == [
            ("ann@acme.com", "invalid", None), ("ben@beta.com", None, "+12025550123"), ("cid@gamma.com", None, None)
        ]  # fmt: skip


def test_what_another_clients_lead_is_stays_untouched(desk: Desk, harness: BatchHarness) -> None:
    theirs = harness.launch([{"first_name": "Zoe", "email": "zoe@zeta.com", "n": "1"}], step("find"), client="globex")
    item = theirs.rows("select id from batch_items where batch_id = %s", theirs.batch_id)[0]["id"]
    desk.take(
        event(EventKind.FIELD_CHANGED, "f1", item_id=item, field="title", value="CEO"),
        event(EventKind.UNSUBSCRIBED, "u1", item_id=item),
    )
    assert desk.batch.rows("select 1 from item_edits union all select 1 from suppressions") == []


# A week where no day is named or the named one is past; a day that is too far away is cut.
@pytest.mark.parametrize(
    ("until", "days"),
    [
        (None, 7),
        (timedelta(days=3), 3),
        (timedelta(days=-3), 7),
        (timedelta(days=365), 365),
        (timedelta(days=9999), 400),
    ],
)
def test_an_auto_reply_pauses_until_the_day_that_it_names(until: timedelta | None, days: int) -> None:
    said = None if until is None else NOW + until
    assert paused_until(event(EventKind.AUTO_REPLIED, "a", at=NOW, until=said)) == NOW + timedelta(days=days)


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": ""},
        {"key": "k" * 201},
        {"at": datetime(2026, 1, 1)},  # noqa: DTZ001 - what is refused
        {"kind": EventKind.FIELD_CHANGED},
        {"kind": EventKind.STATUS_CHANGED},
    ],
)
def test_an_event_that_could_not_be_told_from_another_is_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"event|field|status"):
        DeliveryEvent(**{"kind": EventKind.NOTED, "at": NOW, "key": "k", **wrong})


def test_nothing_is_kept_where_nobody_could_be_known(desk: Desk) -> None:
    desk.take(event(EventKind.UNSUBSCRIBED, "u1", address="ann@acme.com"))
    desk.settings.suppression_pepper_file.write_text("another pepper of many characters")
    with pytest.raises(ConfigurationError, match="pepper"):
        desk.take(event(EventKind.UNSUBSCRIBED, "u2", address="ben@beta.com"))
    assert list(desk.followed()) == ["u1"]
