"""What Instantly tells, as events: each kind right, and one key for one thing, whichever way it comes."""

from __future__ import annotations

from typing import Any

import pytest

from enrichment_assets.domain.delivery_events import EventKind
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.outreach.instantly_events import read_lead, read_mail, read_webhook

BODY: dict[str, Any] = {  # the flat body of its documentation, with variables of the lead beside the fixed members
    "timestamp": "2026-11-20T10:15:30.123Z",
    "event_type": "reply_received",
    "workspace": "w1",
    "campaign_id": "c1",
    "campaign_name": "Golf, spring",
    "email_account": "ana@try-acme.example",
    "lead_email": "Ann@Acme.example",
    "email": "ann@acme.example",
    "step": 2,
    "variant": 1,
    "email_id": "e1",
    "reply_subject": "Re: hello",
    "reply_text": "Yes, call me",
    "firstName": "Ann",
    "starter": "Hello",
}


# Names: the starter kit's docs/api/webhooks.md, which has those that arrive too, and go-instantly's list.
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("email_sent", EventKind.SENT),
        ("email_opened", EventKind.OPENED),
        ("email_link_clicked", EventKind.CLICKED),
        ("link_clicked", EventKind.CLICKED),
        ("reply_received", EventKind.REPLIED),
        ("auto_reply_received", EventKind.AUTO_REPLIED),
        ("lead_out_of_office", EventKind.AUTO_REPLIED),
        ("email_bounced", EventKind.BOUNCED),
        ("lead_unsubscribed", EventKind.UNSUBSCRIBED),
        ("lead_interested", EventKind.INTERESTED),
        ("lead_meeting_booked", EventKind.INTERESTED),
        ("lead_not_interested", EventKind.NOT_INTERESTED),
        ("lead_wrong_person", EventKind.NOT_INTERESTED),
        ("lead_no_show", EventKind.STATUS_CHANGED),
        ("account_error", EventKind.NOTED),
        ("Call in spring", EventKind.STATUS_CHANGED),
    ],
)
def test_an_event_is_of_its_kind_by_the_name_that_arrives(name: str, kind: EventKind) -> None:
    [event] = read_webhook({**BODY, "event_type": name})
    assert (event.kind, event.address, event.at.isoformat()) == (
        kind,
        "ann@acme.example",
        "2026-11-20T10:15:30.123000+00:00",
    )
    if kind is EventKind.STATUS_CHANGED:
        assert event.value == {"lead_no_show": "no show"}.get(name, name)


def test_the_same_thing_has_one_key_and_another_has_another() -> None:
    [told] = read_webhook(BODY)
    [again] = read_webhook(dict(BODY))
    in_inbox = read_mail(
        {
            "id": "e1",
            "timestamp_email": "2026-11-20T10:15:29Z",
            "lead": "ann@acme.example",
            "ue_type": 2,
            "body": {"text": "Yes, call me"},
        }
    )
    assert in_inbox is not None
    assert told.key == again.key == in_inbox.key
    assert (told.reason, in_inbox.reason) == ("Yes, call me", "Yes, call me")
    others = [
        {**BODY, "event_type": "email_sent"},
        {**BODY, "email_id": "e2"},
        {**BODY, "event_type": "lead_unsubscribed"},
        {**BODY, "event_type": "lead_unsubscribed", "timestamp": "2026-11-21T10:15:30.123Z"},
        {**BODY, "event_type": "lead_unsubscribed", "lead_email": "bob@acme.example"},
        {**BODY, "event_type": "lead_unsubscribed", "campaign_id": "c2"},
        {key: value for key, value in BODY.items() if key != "email_id"},
    ]
    keys = {event.key for body in others for event in read_webhook(body)}
    assert len(keys | {told.key}) == len(others) + 1


def test_a_lead_without_an_interest_is_not_out_of_office() -> None:
    lead = {
        "id": "l1",
        "email": "ann@acme.example",
        "status": 1,
        "timestamp_updated": "2026-11-20T10:00:00.000Z",
        "timestamp_last_interest_change": "2026-11-20T09:00:00.000Z",
    }
    kinds = {
        value: [event.kind for event in read_lead({**lead, "lt_interest_status": value})]
        for value in (None, 0, 1, 4, -1, -2, -4, 99)
    }
    assert kinds == {
        None: [],
        0: [EventKind.AUTO_REPLIED],
        1: [EventKind.INTERESTED],
        4: [EventKind.INTERESTED],
        -1: [EventKind.NOT_INTERESTED],
        -2: [EventKind.NOT_INTERESTED],
        -4: [EventKind.STATUS_CHANGED],
        99: [],
    }
    assert [event.kind for event in read_lead({**lead, "lt_interest_status": False})] == []
    gone = [read_lead({**lead, "status": status})[0].kind for status in (-1, -2)]
    assert gone == [EventKind.BOUNCED, EventKind.UNSUBSCRIBED]
    assert read_lead({**lead, "status": 3}) == read_lead({**lead, "status": -3}) == []


def test_mails_of_the_inbox_are_replies_only_where_they_came_and_a_person_wrote_them() -> None:
    mail = {"id": "m", "timestamp_email": "2026-11-20T10:00:00Z", "lead": "a@acme.example", "ue_type": 2}
    read = [
        read_mail({**mail, **changed})
        for changed in ({}, {"i_status": 0}, {"is_auto_reply": 1}, {"i_status": None}, {"i_status": 1})
    ]
    kinds = [event.kind if event else None for event in read]
    assert kinds == [EventKind.REPLIED, EventKind.AUTO_REPLIED, EventKind.AUTO_REPLIED, *[EventKind.REPLIED] * 2]
    none: list[dict[str, Any]] = [
        {"ue_type": 1},
        {"ue_type": 3},
        {"lead": None},
        {"id": None},
        {"timestamp_email": "?"},
    ]
    assert [read_mail({**mail, **changed}) for changed in none] == [None] * 5


def test_what_is_no_event_is_a_contract_error_and_a_time_without_a_zone_is_utc() -> None:
    wrong: list[Any] = [{}, [], None, "text", {"event_type": "email_sent"}, {**BODY, "timestamp": "yesterday"}]
    for body in wrong:
        with pytest.raises(ContractError):
            read_webhook(body)
    [event] = read_webhook({**BODY, "timestamp": "2026-11-20T10:15:30"})
    assert event.at.isoformat() == "2026-11-20T10:15:30+00:00"
    [event] = read_webhook({**BODY, "lead_email": None, "email": None, "event_type": "account_error"})
    assert (event.kind, event.address) == (EventKind.NOTED, None)
