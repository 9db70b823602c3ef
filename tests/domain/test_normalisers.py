"""E-mails, domains, phones and dates."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrichment_assets.domain.domains import host_of, is_free_mail, is_platform_page, registrable_domain
from enrichment_assets.domain.emails import is_placeholder_email, normalise_email
from enrichment_assets.domain.phones import normalise_phone

ANY_TEXT = st.text(max_size=60) | st.text(alphabet=".:/@[]%#?-x1ö\u3002\x00 ", max_size=30)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://www.cantwell.senate.gov/contact?x=1#y", "cantwell.senate.gov"),
        ("Acme.COM", "acme.com"),
        ("www.acme.co.uk/", "acme.co.uk"),
        ("http://user:pw@acme.com:8080/x", "acme.com"),
        ("jo@acme.com", "acme.com"),
        ("mailto:jo@acme.com", "acme.com"),
        ("https://münchen.de", "xn--mnchen-3ya.de"),
        ("//acme.com", "acme.com"),
        ("acme.com.", "acme.com"),
        ("www.com", "www.com"),
        ("http://192.168.0.1/", None),
        ("http://[::1]/", None),
        ("http://[oops", None),
        ("localhost", None),
        ("Acme Inc", None),
        ("javascript:alert(1)", None),
        ("ftp.acme.com", "ftp.acme.com"),
        ("n/a", None),
        ("-", None),
        ("", None),
        (None, None),
        ("a" * 300 + ".com", None),
    ],
)
def test_the_host_of_whatever_a_cell_holds(text: str | None, host: str | None) -> None:
    assert host_of(text) == host


def test_the_registrable_domain_comes_from_the_public_suffix_list() -> None:
    assert registrable_domain("shop.example.co.uk") == "example.co.uk"
    assert registrable_domain("cantwell.senate.gov") == "senate.gov"
    assert registrable_domain("co.uk") is None


def test_free_mail_and_social_hosts_are_known_by_their_registrable_domain() -> None:
    assert is_free_mail("gmail.com") and is_free_mail("mail.yahoo.co.uk") and is_free_mail("gmx.at")
    assert not is_free_mail("acme.com") and not is_free_mail("gmail.acme.com") and not is_free_mail(None)
    assert is_free_mail("mailinator.com") and not is_free_mail("medscape.com")


def test_a_page_on_a_platform_is_told_from_the_platforms_own_site_by_its_path_and_subdomain() -> None:
    members = ["github.com/acme", "acme.github.io", "amazon.co.uk/stores/x", "acme.wd1.myworkdayjobs.com", "bit.ly"]
    own = [
        "github.com",
        "docs.github.com/en",
        "amazon.co.uk/careers",
        "google.com/intl/de",
        "www.yelp.co.uk",
        "a.com/b",
    ]
    assert [text for text in members + own if is_platform_page(text)] == members


@settings(max_examples=500, deadline=None)
@given(ANY_TEXT)
def test_hosts_never_raise_and_are_their_own_host(text: str) -> None:
    host = host_of(text)
    assert host is None or host_of(host) == host
    registrable_domain(text), is_free_mail(text), is_platform_page(text)


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("Jo.Doe@Acme.COM", "jo.doe@acme.com"),
        (" <jo@acme.com> ", "jo@acme.com"),
        ("Jo Doe <jo@acme.com>", "jo@acme.com"),
        ("mailto:jo@acme.com", "jo@acme.com"),
        ("'jo@acme.com", "jo@acme.com"),
        ("jo@münchen.de", "jo@xn--mnchen-3ya.de"),
        ("jo@acme", None),
        ("jo@@acme.com", None),
        ("email_not_unlocked@domain.com", None),
        ("j***@acme.com", None),  # letters that a provider hides: Prospeo, Snov, ContactOut
        ("j*n.doe@acme.com", None),
        ("jo•••@acme.com", None),
        ("n/a", None),
        (None, None),
    ],
)
def test_an_address_has_one_form(text: str | None, email: str | None) -> None:
    assert normalise_email(text) == email


def test_the_placeholder_of_unrevealed_people_is_no_address() -> None:
    assert is_placeholder_email(" Email_Not_Unlocked@domain.com ")
    assert not is_placeholder_email("unlocked@domain.com")
    assert not is_placeholder_email("email_not_unlocked")


@settings(max_examples=400, deadline=None)
@given(ANY_TEXT | st.emails())
def test_addresses_never_raise_and_are_their_own_form(text: str) -> None:
    email = normalise_email(text)
    assert email is None or normalise_email(email) == email


@pytest.mark.parametrize(
    ("text", "country", "phone"),
    [
        ("202-224-3441", "United States", "+12022243441"),
        ("'+1 202-555-0123", None, "+12025550123"),
        ("(030) 901820 ext. 5", "Germany", "+4930901820"),
        ("+44 20 7946 0958", "United States", "+442079460958"),
        ("202-224-3441", None, None),
        ("202-224-3441", "Atlantis", None),
        ("123", "US", None),
        ("call me", "US", None),
        (None, "US", None),
    ],
)
def test_a_phone_number_is_e164_or_nothing(text: str | None, country: str | None, phone: str | None) -> None:
    assert normalise_phone(text, country) == phone


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=300), st.none() | st.text(max_size=30) | st.sampled_from(["US", "Germany"]))
def test_phones_never_raise_and_are_their_own_form(text: str, country: str | None) -> None:
    phone = normalise_phone(text, country)
    assert phone is None or normalise_phone(phone) == phone
