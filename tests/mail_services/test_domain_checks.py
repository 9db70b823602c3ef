"""What a check says of a domain, by the answers of a DNS server: each fault by its code, and what receivers would do.

The zones are in `zones.txt`; the rules are of RFC 7208 (SPF), 6376 and 8301 (DKIM), 7489 (DMARC), 5321 and 7505 (MX).
"""

from __future__ import annotations

import ipaddress

import pytest

from enrichment_assets.domain.mail.domain_check import DomainCheck, check_domain
from enrichment_assets.domain.mail.judging import Weight, sender_at, senders
from enrichment_assets.domain.mail.sender_checks import Question
from enrichment_assets.domain.mail.spf import follow_spf, passes_by, passes_for
from enrichment_assets.domain.mail.spf_records import SpfSyntaxError, read_spf
from enrichment_assets.wire.dns_names import DnsNames

HTTPS = "https://hooks.agency.example"


def question(
    domain: str,
    service: str | None = "google",
    *,
    servers: tuple[str, ...] = (),
    selectors: tuple[str, ...] = (),
    signs_as: str | None = None,
    envelope: str | None = None,
    tls: bool = True,
    receiver_url: str = HTTPS,
) -> Question:
    sender = senders()[service] if service else None
    usual = sender.envelope_of(domain) if sender else domain
    return Question(
        domain, service or "", sender, servers, selectors, signs_as or domain, envelope or usual, tls, receiver_url
    )


def codes(check: DomainCheck, weight: Weight) -> set[str]:
    return {one.code for one in check.findings if one.weight is weight}


FAULTS = {
    "nospf.example": "spf.missing",
    "spf10.example": "spf.missing",  # RFC 7208, 4.5: the version is exactly v=spf1
    "twospf.example": "spf.multiple",
    "typo.example": "spf.syntax",
    "typo2.example": "spf.syntax",
    "typo3.example": "spf.syntax",
    "plusall.example": "spf.everybody",
    "others.example": "spf.sender_missing",
    "softer.example": "spf.sender_missing",  # ?include: neutral is no pass
    "manylate.example": "spf.too_many_lookups",
    "voids.example": "spf.void_lookups",
    "loop.example": "spf.loop_below",
    "belowgone.example": "spf.missing_below",  # RFC 7208, 5.2: an include of a domain without a record is an error
    "nodkim.example": "dkim.missing",
    "revoked.example": "dkim.revoked",
    "short.example": "dkim.short_key",
    "cut.example": "dkim.unreadable",
    "sha1.example": "dkim.not_for_mail",
    "notmail.example": "dkim.not_for_mail",
    "ed.example": "dkim.only_ed25519",
    "twokeys.example": "dkim.multiple",
    "nodmarc.example": "dmarc.missing",
    "versionlast.example": "dmarc.missing",
    "twodmarc.example": "dmarc.invalid",
    "nopolicy.example": "dmarc.invalid",
    "nullmx.example": "mx.null",
    "nomx.example": "mx.missing",
    "deadmx.example": "mx.dead",
}


@pytest.mark.parametrize(("domain", "code"), FAULTS.items())
def test_each_fault_is_found_alone_and_says_what_to_do(names: DnsNames, domain: str, code: str) -> None:
    selectors = ("google",) if code.startswith("dkim.missing") else ()
    check = check_domain(question(domain, selectors=selectors), names)
    assert codes(check, Weight.FAULT) == {code}, [one.text for one in check.findings]
    assert check.stops
    assert all(one.advice for one in check.findings if one.weight is Weight.FAULT)
    assert any(one.why for one in check.outcomes) or code in ("spf.everybody", "mx.null", "mx.missing", "mx.dead")


PASSED = {
    "good.example": set(),
    "split.example": set(),
    "upper.example": set(),
    "redirects.example": set(),
    "macro.example": set(),
    "tenlookups.example": set(),  # RFC 7208, 4.6.4: ten are allowed
    "twovoids.example": set(),  # two void lookups are
    "cname.example": set(),
    "pkcs1.example": set(),
    "novtag.example": set(),  # RFC 6376, 3.6.1: v= is optional
    "elsewhere2.example": set(),
    "sub.good.example": set(),
    "open.example": {"spf.ends_open"},
    "neutral.example": {"spf.ends_open"},
    "ptr.example": {"spf.ptr"},
    "manyearly.example": {"spf.too_many_lookups"},  # receivers stop at the include that matches
    "belowgonelate.example": {"spf.missing_below"},
    "shortish.example": {"dkim.shortish_key"},
    "testing.example": {"dkim.testing"},
    "norua.example": {"dmarc.no_reports"},
    "elsewhere.example": {"dmarc.reports_not_taken"},
    "badpolicy.example": set(),  # RFC 7489, 6.6.3: with rua it is p=none
    "implied.example": {"mx.implied"},
    "halfdead.example": {"mx.some_dead"},
}


@pytest.mark.parametrize(("domain", "warnings"), PASSED.items())
def test_what_passes_passes_with_its_warnings(names: DnsNames, domain: str, warnings: set[str]) -> None:
    check = check_domain(question(domain), names)
    assert check.stops == (), [one.text for one in check.findings]
    assert codes(check, Weight.WARNING) == warnings
    assert [(one.usual, one.bulk, one.why) for one in check.outcomes] == [("delivered", "delivered", ())] * 3


def test_a_lookup_that_fails_is_no_missing_record(names: DnsNames) -> None:
    """Who takes a timeout for an empty answer tells people to publish a second SPF record."""
    check = check_domain(question("acme.broken.example"), names)
    assert codes(check, Weight.FAULT) == set()
    assert codes(check, Weight.UNKNOWN) == {"spf.unknown", "dkim.unknown", "dmarc.unknown", "mx.unknown"}
    assert {one.usual for one in check.outcomes} == {"unknown"}
    later = check_domain(question("later.example"), names)
    assert later.stops == ("dmarc.unknown",)


def test_what_was_not_said_is_not_guessed(names: DnsNames) -> None:
    unsaid = check_domain(question("good.example", None), names)
    assert unsaid.stops == ("spf.sender_unsaid", "dkim.selector_unsaid")
    assert check_domain(question("nodkim.example", None), names).stops == ("spf.sender_unsaid", "dkim.missing"), (
        "no name below _domainkey: there is no key under any selector"
    )
    other = check_domain(question("otherselector.example"), names)
    assert other.stops == ("dkim.not_found",), "a key may stand under a selector that nobody said"
    assert check_domain(question("otherselector.example", selectors=("mail2026",)), names).stops == ()
    ses = check_domain(question("good.example", "ses", selectors=("google",)), names)
    assert ses.stops == () and "spf.of_the_service" in codes(ses, Weight.FINE), "aligned by DKIM alone"


def test_alignment_is_as_close_as_the_record_asks(names: DnsNames) -> None:
    strict = check_domain(
        question("strict.example", "sendgrid", signs_as="em.strict.example", envelope="em.strict.example"), names
    )
    assert strict.stops == ("align.none",)
    (said,) = [one for one in strict.findings if one.code == "align.none"]
    assert "p=reject" in said.text and "aspf and adkim" in said.text
    assert {(one.usual, one.bulk) for one in strict.outcomes} == {("rejected", "rejected")}
    relaxed = question("relaxed.example", "sendgrid", signs_as="em.relaxed.example", envelope="em.relaxed.example")
    assert check_domain(relaxed, names).stops == ()
    foreign = check_domain(question("good.example", "sendgrid", signs_as="em.relaxed.example"), names)
    assert "align.none" in foreign.stops, "signed, but by another organisation"


def test_own_servers_are_in_spf_by_each_address_and_have_a_name(names: DnsNames) -> None:
    mine = check_domain(question("own.example", None, servers=("out.own.example",), selectors=("s2026",)), names)
    assert mine.stops == ()
    unnamed = check_domain(question("ownnet.example", None, servers=("203.0.113.9",), selectors=("s2026",)), names)
    assert unnamed.stops == ("ptr.missing",)
    wrong = check_domain(question("ownnet.example", None, servers=("net.own.example",), selectors=("s2026",)), names)
    assert wrong.stops == ("ptr.unconfirmed",)
    outside = check_domain(question("own.example", None, servers=("198.51.100.200",), selectors=("s2026",)), names)
    assert {"spf.sender_missing", "ptr.missing"} == set(outside.stops)
    (said,) = [one for one in outside.findings if one.code == "spf.sender_missing"]
    assert said.record == 'own.example TXT "v=spf1 ip4:198.51.100.200 mx a:out.own.example -all"'
    sender = ipaddress.ip_address
    assert [passes_for("own.example", sender(a), names) for a in ("203.0.113.5", "203.0.113.7", "2001:db8::7")] == [
        True
    ] * 3
    assert not passes_for("own.example", sender("203.0.113.6"), names)


def test_the_record_that_is_advised_is_one_that_passes(names: DnsNames) -> None:
    for domain, record in {
        "nospf.example": 'nospf.example TXT "v=spf1 include:_spf.google.com ~all"',
        "others.example": 'others.example TXT "v=spf1 include:_spf.google.com include:sendgrid.net -all"',
        "plusall.example": 'plusall.example TXT "v=spf1 include:_spf.google.com ~all"',
    }.items():
        found = [one.record for one in check_domain(question(domain), names).findings if one.code.startswith("spf.")]
        assert record in found, found
    (dmarc,) = [one for one in check_domain(question("nodmarc.example"), names).findings if one.code == "dmarc.missing"]
    assert dmarc.record == '_dmarc.nodmarc.example TXT "v=DMARC1; p=none; rua=mailto:dmarc@nodmarc.example"'


def test_lookups_are_counted_as_receivers_count_them(names: DnsNames) -> None:
    assert (follow_spf("good.example", names).lookups, follow_spf("redirects.example", names).lookups) == (4, 4)
    assert (follow_spf("tenlookups.example", names).lookups, follow_spf("manylate.example", names).lookups) == (10, 12)
    assert follow_spf("voids.example", names).void == 3
    assert passes_by("manyearly.example", ["_spf.google.com"], names)
    assert not passes_by("manylate.example", ["_spf.google.com"], names)
    assert follow_spf("loop.example", names).lookups <= 45, "a loop ends"


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 include: ~all", "v=spf1 include:localhost ~all", "v=spf1 ip4:2001:db8::1", "v=spf1 ip6:192.0.2.1",
        "v=spf1 a/33", "v=spf1 mx//129", "v=spf1 redirect=a.example redirect=b.example", "v=spf1 redirect=",
        "v=spf1 all:a.example", "v=spf1 –all", "v=spf1 include=a.example:b ptr/24", "v=spf1 exists/24",
        "v=spf1 ip4:192.0.2.0/33", "v=spf1 foo",
    ],
)  # fmt: skip
def test_what_receivers_do_not_understand_is_no_record(record: str) -> None:
    with pytest.raises(SpfSyntaxError):
        read_spf(record)


def test_terms_are_read_as_the_standard_writes_them() -> None:
    read = read_spf(
        "v=spf1 -a/24//64 mx:mail.example/30 ?ip4:192.0.2.0/28 exists:%{i}.x.example exp=e.example foo=bar ~all -all"
    )
    assert [(one.qualifier, one.name, one.domain, one.lengths) for one in read.mechanisms][:2] == [
        ("-", "a", "", (24, 64)),
        ("+", "mx", "mail.example", (30, 128)),
    ]
    assert read.ends == "~", "what stands behind all is not read"
    assert read_spf("v=spf1 redirect=A.example. ").redirect == "a.example"
    assert read_spf("v=spf1 redirect=a.example ~all").redirect == "", "all makes it idle"


def test_a_way_out_that_receivers_or_recipients_cannot_use(names: DnsNames) -> None:
    assert check_domain(question("good.example", tls=False), names).stops == ("tls.none",)
    here = check_domain(question("good.example", receiver_url="http://127.0.0.1:8710"), names)
    assert here.stops == ("opt_out.unreachable",)
    assert [(one.usual, one.bulk) for one in here.outcomes][:2] == [("delivered", "spam")] * 2
    assert check_domain(question("good.example", receiver_url="http://hooks.example"), names).stops == (
        "opt_out.not_https",
    )
    assert "from.free_mail" in check_domain(question("gmail.com"), names).stops


def test_servers_for_submission_say_whose_they_are() -> None:
    hosts = ["smtp.gmail.com", "SMTP.office365.com.", "email-smtp.eu-west-1.amazonaws.com", "smtp.sendgrid.net"]
    assert [one.slug for host in hosts if (one := sender_at(host))] == ["google", "microsoft", "ses", "sendgrid"]
    assert sender_at("smtp.acme.com") is None and sender_at("notsmtp.gmail.com.evil.example") is None
