"""Identities by which people are suppressed: one form for every way of writing them, and nothing that means many."""

from __future__ import annotations

import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.identity_hashes import HASH_BYTES
from enrichment_assets.domain.suppression import (
    Hasher,
    Identity,
    Kind,
    identities_of,
    masked,
    person_at_company,
    read_identity,
)

PEPPER = "a pepper for tests, long enough"


@pytest.mark.parametrize(
    ("written", "kind", "value"),
    [
        ("Ann.Archer+news@Acme.com", Kind.EMAIL, "ann.archer@acme.com"),
        ("mailto:ann@acme.com", Kind.EMAIL, "ann@acme.com"),
        ("Ann Archer <ann@acme.com>", Kind.EMAIL, "ann@acme.com"),
        # Gmail ignores dots, and googlemail.com is gmail.com (support.google.com/mail/answer/7436150, 10313).
        ("A.n.n@googlemail.com", Kind.EMAIL, "ann@gmail.com"),
        ("ann.archer+x@gmail.com", Kind.EMAIL, "annarcher@gmail.com"),
        ("ann.archer@outlook.com", Kind.EMAIL, "ann.archer@outlook.com"),
        # Yahoo's disposable addresses: base name, hyphen, keyword (help.yahoo.com).
        ("ann-shop@yahoo.co.uk", Kind.EMAIL, "ann@yahoo.co.uk"),
        ("ann-marie@acme.com", Kind.EMAIL, "ann-marie@acme.com"),
        ("ann@bücher.de", Kind.EMAIL, "ann@xn--bcher-kva.de"),
        ("+@acme.com", Kind.EMAIL, "+@acme.com"),
        ("+1 (212) 736-5000", Kind.PHONE, "+12127365000"),
        ("0044 20 7946 0958", Kind.PHONE, "+442079460958"),
        ("https://de.linkedin.com/in/Ann-Archer/?trk=x", Kind.LINKEDIN, "https://www.linkedin.com/in/ann-archer"),
        ("linkedin.com/in/ann-archer", Kind.LINKEDIN, "https://www.linkedin.com/in/ann-archer"),
        ("https://www.Acme.com/about", Kind.DOMAIN, "acme.com"),
        ("@acme.co.uk", Kind.DOMAIN, "acme.co.uk"),
        ("bücher.de", Kind.DOMAIN, "xn--bcher-kva.de"),
        ("nobody", None, None),
        ("", None, None),
        ("n/a", None, None),
        ("212 736 5000", None, None),
    ],
)
def test_every_way_of_writing_is_one_identity_and_what_is_none_is_refused(
    written: str, kind: Kind | None, value: str | None
) -> None:
    if kind is None or value is None:
        with pytest.raises(ConfigurationError, match="is no e-mail address"):
            read_identity(written)
        return
    assert read_identity(written) == Identity(kind, value)
    assert read_identity(written, kind) == Identity(kind, value)


@pytest.mark.parametrize(
    ("written", "kind", "why"),
    [
        ("gmail.com", Kind.DOMAIN, "would suppress everybody with a mailbox there"),
        ("https://www.linkedin.com/company/acme", Kind.DOMAIN, "page on a platform"),
        ("ann@acme.com", Kind.DOMAIN, "is no domain"),
        ("acme.com", Kind.EMAIL, "is no e-mail address"),
        ("(212) 736-5000", Kind.PHONE, "a number needs \\+ or a country"),
        ("Ann Archer", Kind.PERSON, "say both"),
    ],
)
def test_what_is_not_of_its_kind_or_means_everybody_is_refused(written: str, kind: Kind, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        read_identity(written, kind)


def test_a_number_is_read_by_its_country() -> None:
    assert read_identity("(212) 736-5000", Kind.PHONE, "US").value == "+12127365000"
    assert read_identity("030 901820", country="Germany").value == "+4930901820"


@pytest.mark.parametrize(
    ("name", "company", "value"),
    [
        ("Ann Archer", "acme.com", "ann archer|acme.com"),
        ("Dr. Ann ARCHER, PhD", "https://www.acme.com/", "ann archer|acme.com"),
        ("José Núñez", "Acme GmbH", "jose nunez|acme"),
    ],
)
def test_a_person_at_a_company_is_one_however_both_are_written(name: str, company: str, value: str) -> None:
    assert person_at_company(name, company) == Identity(Kind.PERSON, value)


def test_a_lead_is_known_by_all_that_anybody_gave_of_it() -> None:
    given = [
        {"email": "ann@acme.com", "phone": "(212) 736-5000", "country": "US"},
        {"email_records": [{"address": "a.nn+x@gmail.com"}, {"address": None}], "personal_email": "ann@home.org"},
        {"phone_records": [{"number": "+44 20 7946 0958"}], "linkedin_url": "linkedin.com/in/Ann"},
    ]
    seen = {"first_name": "Ann", "last_name": "Archer", "company_name": "Acme Ltd", "company_domain": "eu.acme.com"}
    assert {(one.kind.value, one.value) for one in identities_of(given, seen, person=True)} == {
        ("email", "ann@acme.com"),
        ("email", "ann@gmail.com"),
        ("email", "ann@home.org"),
        ("domain", "acme.com"),
        ("domain", "eu.acme.com"),
        ("domain", "gmail.com"),
        ("domain", "home.org"),
        ("phone", "+12127365000"),
        ("phone", "+442079460958"),
        ("linkedin", "https://www.linkedin.com/in/ann"),
        ("person", "ann archer|acme.com"),
        ("person", "ann archer|eu.acme.com"),
        ("person", "ann archer|acme"),
    }
    assert {one.value for one in identities_of(given, seen, person=False)} == {"acme.com", "eu.acme.com"}


@pytest.mark.parametrize("odd", [None, 7, [], {"address": 3}, "\x00", "x" * 5000, ["ann@acme.com"]])
def test_whatever_an_answer_has_in_a_field_nothing_is_raised(odd: object) -> None:
    names = ("email", "phone", "linkedin_url", "email_records", "phone_records", "company_domain", "first_name")
    fields = dict.fromkeys(names, odd)
    assert isinstance(identities_of([fields], fields, person=True), set)


def test_hashes_are_of_the_pepper_the_kind_and_the_value() -> None:
    hasher, other = Hasher(PEPPER), Hasher(PEPPER + "!")
    one, domain = Identity(Kind.EMAIL, "acme.com"), Identity(Kind.DOMAIN, "acme.com")
    hashes = {hasher.hashed(one), hasher.hashed(domain), other.hashed(one), hasher.key(), hasher.mark}
    assert len(hashes) == 5
    assert len(hasher.together([one, domain])) == 2 * HASH_BYTES
    assert hasher.together([one, domain]) == hasher.together([domain, one])
    with pytest.raises(ConfigurationError, match="fewer than 16"):
        Hasher("short")


def test_a_list_shows_who_is_meant_to_who_knows_them() -> None:
    shown = [
        masked(Identity(Kind.EMAIL, "ann@acme.com")),
        masked(Identity(Kind.PHONE, "+12127365000")),
        masked(Identity(Kind.LINKEDIN, "https://www.linkedin.com/in/ann-archer")),
        masked(Identity(Kind.PERSON, "ann archer|acme.com")),
        masked(Identity(Kind.DOMAIN, "acme.com")),
    ]
    assert shown == [
        "a***@acme.com",
        "+121***00",
        "https://www.linkedin.com/in/an***",
        "a*** a*** at acme.com",
        "acme.com",
    ]
