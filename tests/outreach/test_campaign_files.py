"""Campaign files: what Instantly is sent, in its own terms, and what a file may not say."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.outreach.campaigns import CampaignFile, campaign_key, instantly_body
from enrichment_assets.domain.outreach.time_zones import INSTANTLY_ZONES, choose_zone
from enrichment_assets.registry.campaign_files import parse_campaign

TODAY = date(2026, 11, 29)
FILE = """
name: Golf, spring
accounts: [ana@try-acme.example]
schedule: {time_zone: America/New_York, days: [mon, tue, thu], from: "08:30", to: "16:00", starts_on: 2026-12-01}
steps:
  - {subject: "The greens of {{companyName}}", body: "{{starter}}\\n\\n{{sendingAccountFirstName}}"}
  - {wait: 3d, body: "Did my note reach you, {{ firstName | there }}?"}
  - wait: 36h
    subject: One last thing
    body: Shall I close your file?
    variants: [{subject: Last one, body: "Still {{title}}?"}]
daily_limit: 60
"""


def test_waits_before_a_step_become_delays_after_the_one_before_it() -> None:
    campaign = parse_campaign(FILE, "golf.yaml")
    made = instantly_body(campaign, campaign_key("acme", campaign), TODAY)
    [sequence] = made.body["sequences"]
    assert [(step["delay"], step["delay_unit"]) for step in sequence["steps"]] == [
        (3, "days"),
        (36, "hours"),
        (0, "days"),
    ]
    assert [len(step["variants"]) for step in sequence["steps"]] == [1, 1, 2]
    assert made.body["name"] == f"Golf, spring [{campaign_key('acme', campaign)}]"
    assert made.body["campaign_schedule"] == {
        "schedules": [
            {
                "name": "As its file says",
                "timing": {"from": "08:30", "to": "16:00"},
                "days": {"0": False, "1": True, "2": True, "3": False, "4": True, "5": False, "6": False},
                "timezone": "America/Detroit",
            }
        ],
        "start_date": "2026-12-01",
    }
    assert (made.body["open_tracking"], made.body["link_tracking"], made.body["stop_on_reply"]) == (False, False, True)
    assert (made.body["daily_limit"], "daily_max_leads" in made.body) == (60, False)
    [warning] = made.warnings
    assert warning == (
        "America/New_York is not in the service's list: America/Detroit is sent, which keeps the same clock "
        "(UTC-5, in summer UTC-4)"
    )
    assert campaign.variables == {"companyName", "starter", "firstName", "title"}
    assert campaign_key("acme", campaign) != campaign_key("globex", campaign)


# Offsets: the IANA database 2026; Windows and many calendars still name America/Dawson for Pacific time.
@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("America/New_York", "America/Detroit"),
        ("America/Toronto", "America/Detroit"),
        ("Europe/London", "Europe/Isle_of_Man"),
        ("Europe/Dublin", "Europe/Isle_of_Man"),
        ("America/Denver", "America/Boise"),
        ("America/Phoenix", "America/Creston"),
        ("Pacific/Honolulu", "Etc/GMT+10"),
        ("America/Halifax", "America/Glace_Bay"),
        ("Australia/Sydney", "Australia/Melbourne"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Asia/Kathmandu", "Asia/Kathmandu"),
        ("America/Chicago", "America/Chicago"),
    ],
)
def test_a_time_zone_is_sent_as_one_of_the_list_with_its_clock(asked: str, sent: str) -> None:
    chosen = choose_zone(asked, INSTANTLY_ZONES, TODAY)
    assert (chosen.zone, chosen.warning is None) == (sent, asked == sent)


@pytest.mark.parametrize(
    "asked", ["America/Los_Angeles", "America/Vancouver", "Australia/Lord_Howe", "Atlantic/Azores"]
)
def test_a_clock_that_no_zone_of_the_list_keeps_is_refused_with_the_nearest(asked: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        choose_zone(asked, INSTANTLY_ZONES, TODAY)
    assert raised.value.code == "campaign.zone_not_in_list"
    assert "name one of the list instead" in raised.value.what


def test_of_zones_with_one_clock_the_one_that_kept_it_for_longest_is_sent() -> None:
    berlin = choose_zone("Europe/Berlin", INSTANTLY_ZONES, TODAY).zone
    assert berlin in {"Arctic/Longyearbyen", "Europe/Belgrade", "Europe/Sarajevo", "Africa/Ceuta"}
    # Mexico, Jordan and Syria gave up summer time in 2022, Yukon in 2020: an older table has other offsets for them.
    assert choose_zone("America/Costa_Rica", INSTANTLY_ZONES, TODAY).zone in {"America/Belize", "America/Regina"}
    assert choose_zone("Asia/Riyadh", INSTANTLY_ZONES, TODAY).zone in {"Asia/Aden", "Africa/Addis_Ababa"}
    with pytest.raises(ConfigurationError) as raised:
        choose_zone("America/New York", INSTANTLY_ZONES, TODAY)
    assert raised.value.code == "campaign.zone_unknown"


STEP: dict[str, Any] = {"subject": "a", "body": "b"}
ZONE: dict[str, Any] = {"time_zone": "UTC"}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"steps": [{**STEP, "wait": "1d"}]}, "follows nothing"),
        ({"steps": [{"body": "b"}]}, "needs a `subject`"),
        ({"steps": [STEP, {"body": "b"}]}, "how long after"),
        ({"steps": [STEP, {"body": "b", "wait": "90s"}]}, "whole minutes"),
        ({"steps": []}, "at least 1 item"),
        ({"schedule": {**ZONE, "from": "17:00", "to": "09:00"}}, "before it begins"),
        ({"schedule": {**ZONE, "from": 540}}, "in quotes"),
        ({"schedule": {**ZONE, "days": ["monday"]}}, "'mon'"),
        ({"schedule": {**ZONE, "starts_on": "2026-12-02", "ends_on": "2026-12-01"}}, "before it begins"),
        ({"accounts": ["nobody"]}, "is no address"),
        ({"name": "two\nlines"}, "one line"),
        ({"timezone": "UTC"}, "Extra inputs"),
        ({"service": "smartlead"}, "instantly"),
    ],
)
def test_a_file_that_cannot_be_a_campaign_is_told_why(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        CampaignFile.model_validate({"name": "n", "schedule": ZONE, "steps": [STEP], **wrong})
    assert told in str(raised.value)
