"""What each rule finds against a lead: tables of cases, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.gate.companies import Seats, company_of
from enrichment_assets.domain.gate.countries import Basis, Consent, country_rules, rule_of
from enrichment_assets.domain.gate.judging import Case, Contact, Entry, Evidence, Known, SaidName, refusals
from enrichment_assets.domain.gate.rules import RULES, ListKind, Rule, policy_of, read_change, read_rule
from enrichment_assets.domain.regions import groups

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
GOOD = {
    "full_name": "Ann Archer", "email": "ann@acme.com", "country": "United States", "company_name": "Acme, Inc.",
    "company_domain": "acme.com", "email_status": "valid", "email_finders": 1, "email_sources_disagree": False,
}  # fmt: skip
BEHIND = Evidence(frozenset({"hunter"}), frozenset({"zerobounce"}), heard_at=NOW - timedelta(days=3))


def refused(
    lead: dict[str, Any] | None = None,
    evidence: Evidence = BEHIND,
    known: Known | None = None,
    *,
    by_email: bool = True,
    **changed: dict[str, Any],
) -> list[str]:
    case = Case({**GOOD, **(lead or {})}, evidence, known or Known(), policy_of(changed), NOW, by_email)
    return [str(one) for one in refusals(case)]


def test_a_lead_of_which_all_is_well_passes_and_every_rule_is_on_from_the_start() -> None:
    assert refused() == []
    assert all(policy_of({}).is_on(rule) for rule in Rule)


# Bases by statute; countries that are listed nowhere. Sources stand in data/contact_rules.toml beside each.
@pytest.mark.parametrize(
    ("country", "email", "consents", "passes"),
    [
        ("Germany", "a@acme.de", (), False),
        ("DE", "a@acme.de", (Consent.EXPRESS,), True),
        ("Deutschland", "a@acme.de", (Consent.PUBLISHED,), False),  # UWG § 7 knows no publication
        ("Austria", "a@acme.at", (), False),  # TKG 2021 § 174
        ("Canada", "a@acme.ca", (), False),  # CASL s. 6
        ("Canada", "a@acme.ca", (Consent.PUBLISHED,), True),  # CASL s. 10(9)(b)
        ("AU", "a@acme.com.au", (Consent.PUBLISHED,), True),  # Spam Act 2003, Sch 2 cl 4
        ("Australia", "a@acme.com.au", (), False),
        ("UK", "a@acme.co.uk", (), True),  # PECR: corporate subscribers
        ("England", "a@gmail.com", (), False),  # PECR: whoever has a private mailbox is an individual subscriber
        ("France", "a@acme.fr", (), True),
        ("France", "a@orange.fr", (), False),
        ("US", "a@gmail.com", (), True),  # CAN-SPAM asks nobody before
        ("Slovakia", "a@acme.sk", (), False),  # not listed, in the EEA: Directive 2002/58/EC Art. 13(1)
        ("Réunion", "a@acme.re", (), False),  # part of the EU with a code of its own
        ("Brazil", "a@acme.com.br", (), True),  # the last resort
        ("Georgia", "a@acme.ge", (), True),  # the country, and no state of the US
    ],
)
def test_the_law_of_the_persons_country_decides_who_is_asked_before(
    country: str, email: str, consents: tuple[Consent, ...], passes: bool
) -> None:
    said = refused({"country": country, "email": email}, known=Known(consents=frozenset(consents)))
    assert [one for one in said if one.startswith("country")] == ([] if passes else said)
    assert bool(said) is not passes
    if not passes:
        assert "asks for consent (" in said[0]


def test_a_lead_without_a_country_is_refused_unless_its_client_says_otherwise() -> None:
    nowhere = {"country": "Atlantis"}
    assert refused(nowhere) == refused({"country": None}) == ["country: no country is known"]
    assert refused(nowhere, country={"unknown": "opt_out"}) == []
    assert refused(nowhere, country={"unknown": "consent"}) == [
        "country: no country is known, and no consent is recorded"
    ]
    agreed = Known(consents=frozenset({Consent.EXPRESS}))
    assert refused(nowhere, known=agreed, country={"unknown": "consent"}) == []
    assert refused({"country": "DE"}, country={"on": False}) == []


def test_every_countrys_rule_names_its_statute_and_where_it_can_be_read() -> None:
    rules = country_rules()
    assert rules.keys() >= {"DE", "AT", "CH", "FR", "GB", "US", "CA", "AU", "EEA", "default"}
    for code, rule in rules.items():
        assert rule.statute and (rule.source.startswith("https://") or code == "default"), code
        assert rule.accepts or Basis.CONSENT not in (rule.basis, rule.private), code
    assert all(rule_of(code).basis is not None for code in groups()["EEA"])
    assert rule_of("DE").basis is Basis.CONSENT and rule_of("JP") == rules["default"]


# Found by whom, called valid by whom, verdict, finders: whether the address counts as verified, and why not.
@pytest.mark.parametrize(
    ("givers", "sayers", "status", "finders", "why"),
    [
        ({"hunter"}, {"zerobounce"}, "valid", 1, None),
        ({"hunter"}, {"hunter"}, "valid", 1, "hunter alone found and verified the address"),
        ({"hunter", "apollo"}, {"hunter"}, "valid", 2, None),
        (set(), {"hunter"}, "valid", 0, None),  # the list's own address, verified by somebody else
        ({"hunter"}, set(), "valid", 1, "nobody has verified the address"),  # a word of the uploaded list
        ({"hunter"}, set(), None, 1, "nobody has verified the address"),
        ({"hunter"}, set(), "unknown", 1, "nobody has verified the address"),
        ({"hunter"}, {"zerobounce"}, "accept_all", 1, "its host takes mail for any name, and 1 of 2 found it"),
        ({"hunter", "apollo"}, set(), "accept_all", 2, None),
        ({"hunter"}, {"zerobounce"}, "risky", 1, "the address is called risky"),
        ({"hunter"}, set(), "invalid", 1, "the address is called invalid"),
        ({"hunter"}, set(), "spamtrap", 1, "the address is called spamtrap"),
    ],
)
def test_an_address_is_verified_by_somebody_who_did_not_find_it(
    givers: set[str], sayers: set[str], status: str | None, finders: int, why: str | None
) -> None:
    behind = Evidence(frozenset(givers), frozenset(sayers))
    lead = {"email_status": status, "email_finders": finders}
    assert refused(lead, behind) == ([] if why is None else [f"email_verified: {why}"])
    assert refused(lead, behind, by_email=False) == [], "nobody writes to the address"
    assert refused({**lead, "email": None, "linkedin_url": "linkedin.com/in/ann"}, behind) == []


def test_disagreement_and_a_stricter_number_of_finders_count() -> None:
    assert refused({"email_sources_disagree": True}) == [
        "email_verified: one source says that the address can be written to, another that it cannot"
    ]
    two = {"email_status": "accept_all", "email_finders": 2}
    assert refused(two, email_verified={"finders": 3}) == [
        "email_verified: its host takes mail for any name, and 2 of 3 found it"
    ]


def test_the_right_person_has_one_name_and_one_company_at_the_source_of_the_address() -> None:
    def named(*names: SaidName, **more: Any) -> list[str]:
        return refused(evidence=Evidence(BEHIND.givers, BEHIND.sayers, names, **more))

    other = SaidName("find-email-via-hunter", "Bob", "Baker")
    assert named(other) == ["right_person: find-email-via-hunter knows the address as somebody else's"]
    assert named(other, is_named_by_hand=True) == [], "a person corrected the name"
    alike = [
        SaidName("x", "Ann", "Archer"),
        SaidName("y", full="Ann B. Archer"),
        SaidName("z", "A.", "Archer"),
        SaidName("w"),
    ]
    assert named(*alike) == []
    assert named(elsewhere=("match-person-via-apollo",)) == [
        "right_person: match-person-via-apollo knows the person at another company"
    ]


def test_a_role_that_ended_is_no_role_and_what_a_history_does_not_say_refuses_nobody() -> None:
    def at(current: set[str], ended: set[str], is_active: bool | None = None) -> list[str]:
        worked = Evidence(BEHIND.givers, BEHIND.sayers, (), (), False, frozenset(current), frozenset(ended), is_active)
        return refused(evidence=worked)

    gone = ["role_current: by their work history they work there no more"]
    assert at({"beta"}, {"acme"}) == at(set(), {"acme"}) == gone
    assert at({"acme"}, {"acme"}) == [], "another role there goes on"
    assert at({"beta"}, {"gamma"}) == [], "the history does not know the company: it may be called otherwise"
    assert at({"acme"}, set(), False) == ["role_current: a freshness check found that they have left"]


def test_lists_owners_and_passes() -> None:
    customer, mine = Entry(ListKind.CUSTOMERS, "Acme GmbH"), Entry(ListKind.OWNERS, "Acme", "Jane Roe")
    assert refused(known=Known(entries=(customer,))) == ["customer: Acme GmbH"]
    assert refused(known=Known(entries=(customer,), passes=frozenset({Rule.CUSTOMER}))) == []
    assert refused(known=Known(entries=(customer,)), customer={"on": False}) == []
    owned = Known(entries=(mine,))
    assert refused(known=owned) == ["other_owner: Acme is Jane Roe's"]
    assert refused({"owner": "jane roe "}, known=owned, other_owner={"field": "owner"}) == []
    assert refused({"owner": "Max"}, known=owned, other_owner={"field": "owner"}) == ["other_owner: Acme is Jane Roe's"]
    both = Known("said no", "replied", (customer,), passes=frozenset({Rule.CUSTOMER}))
    assert refused(known=both, suppressed={"on": False}, stopped={"on": False}) == [
        "suppressed: said no",
        "stopped: replied",
    ]


def test_what_was_heard_or_sent_lately_is_counted_in_days() -> None:
    old = Evidence(BEHIND.givers, BEHIND.sayers, heard_at=NOW - timedelta(days=181))
    assert refused(evidence=old) == ["fresh: nothing was heard of the lead since 2026-06-01, 180 days are allowed"]
    assert refused(evidence=old, fresh={"days": 365}) == []
    assert refused(evidence=Evidence(BEHIND.givers, BEHIND.sayers)) == [], "when it was heard is not known"
    sent = Known(contact=Contact("mail-1", NOW - timedelta(days=9)))
    assert refused(known=sent) == ["recently_contacted: by mail-1 on 2026-11-20"]
    assert refused(known=Known(contact=Contact("mail-1", None))) == ["recently_contacted: mail-1 is about to"]
    assert refused(known=Known(colleagues=2)) == []
    assert refused(known=Known(colleagues=3)) == ["company_cap: 3 others of the company within 30 days, 3 are allowed"]


# Legal forms, subdomains, private mailboxes, pages on platforms, names that are none, hosts beside each other.
@pytest.mark.parametrize(
    ("lead", "keys"),
    [
        ({"company_name": "Acme GmbH & Co. KG"}, ["name:acme"]),
        ({"company_name": "The ACME Corp."}, ["name:acme"]),
        ({"company_domain": "shop.acme.co.uk"}, ["domain:acme.co.uk", "domain:shop.acme.co.uk"]),
        ({"company_website": "www.acme.com/x", "email": "a@b.acme.com"}, ["domain:acme.com", "domain:b.acme.com"]),
        ({"email": "ann@gmail.com", "company_domain": "gmail.com"}, []),
        ({"email": "ann@mailinator.com"}, []),
        ({"company_website": "linkedin.com/company/acme", "company_name": "N/A"}, []),
        ({"company_name": "self-employed"}, []),
        ({"company_domain": "müller.de"}, ["domain:xn--mller-kva.de"]),
    ],
)  # fmt: skip
def test_a_company_is_known_by_its_hosts_what_is_above_them_and_its_name(lead: dict[str, str], keys: list[str]) -> None:
    assert company_of(lead).keys == keys


def test_people_below_and_above_a_host_are_of_one_company_and_those_beside_it_are_not() -> None:
    seats = Seats()
    seats.add(b"ann", ["mail.acme.com"], "acme")
    seats.add(b"ben", ["a.house.gov"], None)
    seats.add(b"cid", [], "beta")

    def people(**lead: str) -> set[bytes]:
        return seats.others(company_of(lead), b"zoe")

    assert people(company_domain="acme.com") == people(company_domain="x.mail.acme.com") == {b"ann"}
    assert people(company_domain="other.acme.com") == set(), "beside it"
    assert people(company_domain="b.house.gov") == set()
    assert people(company_name="Acme Ltd") == {b"ann"} and people(company_name="BETA AG") == {b"cid"}
    assert people(email="zoe@gmail.com") == set()


def test_what_a_client_changes_is_checked() -> None:
    assert read_change(Rule.COMPANY_CAP, {"people": "5", "on": "yes"}) == {"people": 5, "on": True}
    wrong = [
        (Rule.SUPPRESSED, {"on": "false"}, "always on"),
        (Rule.STOPPED, {"on": "false"}, "always on"),
        (Rule.COMPANY_CAP, {"peple": "5"}, "did you mean 'people'"),
        (Rule.COMPANY_CAP, {"people": "0"}, "from 1 to 1000"),
        (Rule.COMPANY_CAP, {"people": "-1"}, "from 1 to 1000"),
        (Rule.COUNTRY, {"unknown": "maybe"}, "refuse, opt_out, consent"),
        (Rule.CUSTOMER, {"on": "perhaps"}, "true or false"),
    ]
    for rule, given, match in wrong:
        with pytest.raises(ConfigurationError, match=match):
            read_change(rule, given)
    with pytest.raises(ConfigurationError, match="did you mean 'customer'"):
        read_rule("custmer")
    assert {rule for rule in Rule if not RULES[rule].passable} == {Rule.SUPPRESSED, Rule.STOPPED, Rule.COUNTRY}
