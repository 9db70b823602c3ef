"""Which people of a company are prospects, and whose an address is."""

from __future__ import annotations

from typing import Any

import pytest

from enrichment_assets.domain.discovery import prospects_found
from enrichment_assets.domain.mailboxes import Mailbox, can_be_of, mailbox_of
from enrichment_assets.domain.prospects import choose_prospects


def kept(people: Any, addresses: Any = (), host: str | None = "acme.com") -> list[tuple[str | None, str | None]]:
    """(full name, address) of the prospects."""
    return [(one.name.full_name, one.email) for one in choose_prospects(people, addresses, host).kept]


def person(name: Any, **fields: Any) -> dict[str, Any]:
    return {"name": name, "title": None, "email": None, "phone": None, **fields}


@pytest.mark.parametrize("kind", ["other_company", "directory", "news", "association", "personal", "other"])
def test_nobody_is_a_prospect_on_a_site_that_is_no_company_of_the_kind_that_was_searched_for(kind: str) -> None:
    context = {
        "company_domain": "boston-guild.org",
        "people_on_site": [person("Jane Doe", email="jane@boston-guild.org")],
        "homepage_emails": ["info@boston-guild.org"],
    }
    assert prospects_found({**context, "site_kind": kind}) == {
        "prospects": [],
        "kept": 0,
        "dropped": [{"what": "boston-guild.org", "why": f"site_of_{kind}"}],
    }
    for said in ("company", None):  # None: nobody was asked, as in a list of companies whose pages are empty
        assert [one["email"] for one in prospects_found({**context, "site_kind": said})["prospects"]] == [
            "jane@boston-guild.org"
        ]


@pytest.mark.parametrize(
    ("name", "address"),
    [
        # Of these names nobody knows which word is the family's: both orders are addresses of theirs.
        ("Xin Rao", "xin.rao@acme.com"),
        ("Xin Rao", "rao.xin@acme.com"),
        ("Xin Rao", "xrao@acme.com"),
        ("Xin Rao", "raox@acme.com"),
        ("Wei Lin", "wei_lin@acme.com"),
    ],
)
def test_an_address_is_somebodys_whichever_word_is_the_family_name(name: str, address: str) -> None:
    assert kept([person(name), person("Hana Weber")], [address]) == [(name, address), ("Hana Weber", None)]
    assert kept([person(name)], ["jane.doe@acme.com"]) == [(name, None), (None, "jane.doe@acme.com")]


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("jane.doe@acme.com", Mailbox.PERSONAL),
        ("jdoe2@acme.com", Mailbox.PERSONAL),
        ("infante@acme.com", Mailbox.PERSONAL),  # a name that begins like `info`
        ("team.leader@acme.com", Mailbox.SHARED),
        ("info@acme.com", Mailbox.SHARED),
        ("info-boston@acme.com", Mailbox.SHARED),
        ("client.services@acme.com", Mailbox.SHARED),
        ("kontakt@acme.de", Mailbox.SHARED),
        ("pitch@acme.vc", Mailbox.SHARED),
        ("no-reply@acme.com", Mailbox.NEVER),
        ("privacy-office@acme.com", Mailbox.NEVER),
        ("careers@acme.com", Mailbox.NEVER),
        ("accounts.payable@acme.com", Mailbox.NEVER),
        ("12345@acme.com", Mailbox.NEVER),
    ],
)
def test_a_mailbox_is_a_persons_shared_or_not_to_be_written_to(address: str, kind: Mailbox) -> None:
    assert mailbox_of(address) is kind


@pytest.mark.parametrize(
    ("address", "first", "last", "fits"),
    [
        ("jane.doe@x.com", "Jane", "Doe", True),
        ("jdoe@x.com", "Jane", "Doe", True),
        ("doej@x.com", "Jane", "Doe", True),
        ("jane@x.com", "Jane", "Doe", True),
        ("jose.nunez@x.com", "José", "Núñez", True),
        ("jane.smith-lee@x.com", "Jane", "Smith-Lee", True),
        ("j@x.com", "Jane", "Doe", False),
        ("jd@x.com", "Jane", "Doe", False),
        ("john.doe@x.com", "Jane", "Doe", False),
        ("janet@x.com", "Jane", "Doe", False),
        ("jane.doe@x.com", None, "Doe", False),
    ],
)
def test_an_address_is_of_a_name_by_the_usual_patterns_only(
    address: str, first: str | None, last: str | None, fits: bool
) -> None:
    assert can_be_of(address, first, last) is fits


def test_people_have_the_address_that_can_only_be_theirs_and_an_address_of_nobody_named_is_a_prospect_too() -> None:
    people = [person("Jane Doe, CFP®", title="Partner"), person("Dr. Bob Li"), person("Ann Day", email="ann@acme.com")]
    addresses = ["JDoe@acme.com", "info@acme.com", "k.lee@acme.com", "ann@acme.com", "privacy@acme.com"]
    found = choose_prospects(people, addresses, "www.acme.com")
    assert [(one.name.full_name, one.title, one.email) for one in found.kept] == [
        ("Jane Doe", "Partner", "jdoe@acme.com"),
        ("Bob Li", None, None),
        ("Ann Day", None, "ann@acme.com"),
        (None, None, "k.lee@acme.com"),
    ]
    assert set(found.dropped) == {("info@acme.com", "shared_mailbox"), ("privacy@acme.com", "not_to_be_written_to")}


def test_an_address_that_can_be_of_two_is_given_to_none_and_is_no_prospect_of_its_own() -> None:
    assert kept([person("Jane Doe"), person("John Doe")], ["jdoe@acme.com"]) == [("Jane Doe", None), ("John Doe", None)]
    both = [person("Jane Doe", email="jane.doe@acme.com"), person("Ed Low", email="jane.doe@acme.com")]
    assert kept(both) == [("Jane Doe", "jane.doe@acme.com"), ("Ed Low", None)]


@pytest.mark.parametrize("email", ["bob@vendor.com", "info@acme.com", "not an address", "jobs@acme.com", 7])
def test_a_person_is_kept_without_an_address_that_is_not_their_own(email: Any) -> None:
    assert kept([person("Bob Li", email=email)]) == [("Bob Li", None)]


def test_a_private_address_counts_where_the_page_gives_it_to_the_person_and_yields_to_the_companys() -> None:
    bob = person("Bob Li", email="bobli@gmail.com")
    assert kept([bob], ["bobli@gmail.com"]) == [("Bob Li", "bobli@gmail.com")]
    assert kept([bob], ["bli@acme.com"]) == [("Bob Li", "bli@acme.com")]
    assert kept([], ["bobli@gmail.com"]) == []


def test_a_shared_mailbox_is_a_prospect_only_where_the_pages_name_nobody() -> None:
    assert kept([], ["info@acme.com", "office@acme.com"]) == [(None, "info@acme.com")]
    assert kept([person("Bob Li")], ["info@acme.com"]) == [("Bob Li", None)]
    assert kept([], ["webmaster@acme.com", "hello@vendor.com"]) == []


@pytest.mark.parametrize(
    "name",
    ["Our Team", "Operations Manager", "Managing Partner", "United States", "Harbor Drive", "Client Services", "Bob",
     "", None, 3, "LinkedIn Member", "Senior Vice President", "Learn More", "Contact Us", "Acme Advisors LLC"],
)  # fmt: skip
def test_what_is_no_name_of_a_person_is_no_prospect(name: Any) -> None:
    assert kept([person(name)]) == []


@pytest.mark.parametrize(
    "name",
    ["Marcus Baker", "April Banks", "Grant Sales-Young", "Chase Manning", "Bo Li", "Mary Ann O'Neil", "José Núñez"],
)
def test_a_name_that_is_a_word_too_is_one(name: str) -> None:
    assert [found for found, _ in kept([person(name)])] == [name]


def test_who_is_named_twice_is_one_prospect_with_what_each_naming_says() -> None:
    twice = [person("Jane Doe", title="Partner"), person("JANE DOE", phone="+1 617 555 0100"), person("Jane Doe Jr.")]
    found = choose_prospects(twice, [], "acme.com").kept
    assert [(one.key, one.title, one.phone) for one in found] == [
        ("acme.com/jane doe", "Partner", "+1 617 555 0100"),
        ("acme.com/jane doe jr.", None, None),
    ]


def test_a_company_that_has_moved_has_addresses_at_both_hosts_and_is_named_by_where_it_is_now() -> None:
    people = [person("Bob Li", email="bob@new.com"), person("Ann Day", email="ann@old.com")]
    found = choose_prospects(people, ["info@old.com", "x@other.com"], "old.com", "new.com")
    assert [(one.key, one.email) for one in found.kept] == [
        ("new.com/bob li", "bob@new.com"),
        ("new.com/ann day", "ann@old.com"),
    ]
    assert dict(found.dropped) == {"x@other.com": "of_another_company", "info@old.com": "shared_mailbox"}


def test_without_a_host_no_address_is_the_companys_and_what_is_no_list_names_nobody() -> None:
    assert kept([person("Bob Li", email="bob@acme.com")], ["jane@acme.com"], host=None) == [("Bob Li", None)]
    assert kept("nobody", ["x", None, 5]) == []
    assert kept([None, "x", {}]) == []
