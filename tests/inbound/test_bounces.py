"""Reports of real servers, and what they say of an address. `tests/services/mail/collect.py` collected them."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from enrichment_assets.domain.mail.bounce_reasons import BounceKind, judge_refusal
from enrichment_assets.domain.mail.inbound import InboundKind, judge

COLLECTED = Path(__file__).parent / "corpus"
DOCUMENTED = Path(__file__).parent / "documented"

HARD, SOFT, POLICY, DELAYED, UNKNOWN = BounceKind

BY_REPORT = {
    # <who reports>-<why>-<who refused>: what it says of whom
    "exim-delayed-postfix": {"busy@postfix.example": DELAYED},
    "exim-expired-postfix": {"busy@postfix.example": SOFT},  # Action: failed, Status: 5.0.0; "450 4.2.0" was said
    "exim-full-exim": {"full@exim.example": SOFT},  # 5.0.0 and no Diagnostic-Code: the text alone has it
    "exim-full-opensmtpd": {"full@opensmtpd.example": DELAYED},  # 552 5.2.2, which OpenSMTPD tries again
    "exim-full-postfix": {"full@postfix.example": SOFT},
    "exim-policy-opensmtpd": {"policy@opensmtpd.example": POLICY},
    "exim-several-opensmtpd": {  # the text has them in another order than the report
        "policy@opensmtpd.example": POLICY,
        "nobody@late.exim.example": HARD,
        "full@exim.example": SOFT,
    },
    "exim-unknown-exim": {"nobody@late.exim.example": HARD},
    "exim-unknown-opensmtpd": {"nobody@opensmtpd.example": HARD},
    "exim-unknown-postfix": {"nobody@postfix.example": HARD},
    "opensmtpd-delayed-exim": {"busy@exim.example": DELAYED},
    "opensmtpd-delayed-postfix": {"busy@postfix.example": DELAYED},
    "opensmtpd-expired-opensmtpd": {"nobody@late.opensmtpd.example": SOFT},  # Action: delayed, and it was given up
    "opensmtpd-full-exim": {"full@exim.example": SOFT},
    "opensmtpd-full-opensmtpd": {"full@opensmtpd.example": DELAYED},
    "opensmtpd-full-postfix": {"full@postfix.example": SOFT},
    "opensmtpd-policy-postfix": {"policy@postfix.example": POLICY},
    "opensmtpd-several-postfix-0": {"nobody@late.opensmtpd.example": DELAYED, "full@opensmtpd.example": DELAYED},
    "opensmtpd-several-postfix-1": {"policy@postfix.example": POLICY},
    "opensmtpd-unknown-exim": {"nobody@exim.example": HARD},
    "opensmtpd-unknown-opensmtpd": {"nobody@late.opensmtpd.example": DELAYED},  # LMTP's 550 5.1.1 is tried again
    "opensmtpd-unknown-postfix": {"nobody@postfix.example": HARD},
    "postfix-delayed-exim": {"busy@exim.example": DELAYED},
    "postfix-domain-gone": {"anna@gone.example": HARD},
    "postfix-expired-exim": {"busy@exim.example": SOFT},
    "postfix-full-exim": {"full@exim.example": SOFT},
    "postfix-full-opensmtpd": {"full@opensmtpd.example": DELAYED},
    "postfix-full-postfix": {"full@postfix.example": SOFT},
    "postfix-large-exim": {"anna@exim.example": POLICY},
    "postfix-nobody-local": {"ghost@local.postfix.example": HARD},
    "postfix-policy-exim": {"policy@exim.example": POLICY},
    "postfix-policy-opensmtpd": {"policy@opensmtpd.example": POLICY},
    "postfix-several-exim": {
        "nobody@late.postfix.example": HARD,
        "full@postfix.example": SOFT,
        "policy@exim.example": POLICY,
    },
    "postfix-unknown-exim": {"nobody@exim.example": HARD},
    "postfix-unknown-opensmtpd": {"nobody@opensmtpd.example": HARD},
    "postfix-unknown-postfix": {"nobody@late.postfix.example": HARD},
}


def test_every_report_of_real_servers_is_read_as_what_happened() -> None:
    reports = {file.stem: judge(file.read_bytes()) for file in COLLECTED.glob("*.eml")}
    found = {name: {bounce.recipient: bounce.kind for bounce in report.bounces} for name, report in reports.items()}
    assert found == BY_REPORT
    assert {report.kind for report in reports.values()} == {InboundKind.BOUNCE}


def test_every_report_of_real_servers_names_the_message_that_it_is_about() -> None:
    """Exim puts it into `References` too, as an answer does; Postfix repeats the envelope's id."""
    for file in COLLECTED.glob("*.eml"):
        report = judge(file.read_bytes())
        sender = next(to for to in report.to if to.endswith("@agency.example"))
        assert report.about == (sender,), file.stem
        assert report.envelope_id in (None, sender.split("@")[0]), file.stem
        if file.stem == "postfix-full-postfix":
            assert report.envelope_id == "postfix-full-postfix"


# RFC 5965, appendix B (the complaint); RFC 8098 (the receipt); Microsoft Learn, "Non-delivery reports in Exchange
# Online"; Google Workspace Admin Help, "SMTP error reference"; QSBMF, https://cr.yp.to/proto/qsbmf.txt.
def test_documented_forms_of_other_servers_are_read() -> None:
    for name in ("exchange-online-unknown", "gmail-unknown", "qmail-unknown"):
        report = judge((DOCUMENTED / f"{name}.eml").read_bytes())
        assert [(bounce.recipient, bounce.kind) for bounce in report.bounces] == [("jane@acme.example", HARD)], name
        assert report.about == ("m1@agency.example",), name
    complaint = judge((DOCUMENTED / "complaint.eml").read_bytes())
    assert (complaint.kind, complaint.complainer) == (InboundKind.COMPLAINT, "jane@acme.example")
    assert complaint.about == ("m1@agency.example",)
    receipt = judge((DOCUMENTED / "read-receipt.eml").read_bytes())
    assert (receipt.kind, receipt.about) == (InboundKind.RECEIPT, ("m1@agency.example",))


SAID = [
    # status, what the server said, what it means; Google's, Microsoft's, Yahoo's and others' pages on rejections
    ("5.1.1", "smtp; 550-5.1.1 The email account that you tried to reach does not exist.", HARD),
    ("5.0.0", "550 5.2.1 The email account that you tried to reach is disabled.", HARD),
    ("5.0.0", "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents", SOFT),
    ("5.0.0", "452 4.2.2 The email account that you tried to reach is over quota.", SOFT),
    ("5.0.0", "552 5.2.2 The email account that you tried to reach is over quota.", SOFT),
    ("5.7.26", "550-5.7.26 This mail has been blocked because the sender is unauthenticated.", POLICY),
    ("5.7.515", "550 5.7.515 Access denied, sending domain agency.example does not meet the required level", POLICY),
    ("5.7.1", "550 5.7.1 User unknown", POLICY),  # 5.7.x is policy, whatever the words
    ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. [A1.prod.protection.outlook.example]", HARD),
    ("5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", HARD),
    ("5.0.0", "550 Requested action not taken: mailbox unavailable Reject due to policy restrictions", POLICY),
    (
        "5.0.0",
        "550 SC-001 Unfortunately, messages from 192.0.2.1 weren't sent; your network is on our block list",
        POLICY,
    ),
    ("5.0.0", "554 delivery error: dd This user doesn't have a yahoo.com account (jane@yahoo.example) [0]", HARD),
    ("4.4.7", "smtp;550 4.4.7 QUEUE.Expired; message expired", SOFT),
    ("5.4.310", "550 5.4.310 DNS domain acme.example does not exist [Message=InfoDomainNonexistent]", HARD),
    ("4.0.0", "DNS Error: 1234 DNS type 'mx' lookup of acme.example responded with code NXDOMAIN", HARD),
    ("5.1.1", "550 5.1.1 <jane@acme.example>: Client host [192.0.2.1] blocked using zen.spamhaus.example", POLICY),
    ("5.1.1", "550 5.1.1 <jane@antispam.example>: Recipient address rejected: User unknown", HARD),
    ("5.1.1", "550 5.1.1 user is overquota", SOFT),
    ("5.1.8", "550 5.1.8 Sender address rejected: Domain not found", POLICY),
    ("5.3.4", "552 5.3.4 Message too big for system", POLICY),
    ("5.2.3", "552 5.2.3 Message size exceeds maximum", POLICY),
    ("5.6.0", "554 5.6.0 Message content rejected", POLICY),
    ("5.0.0", "550 Postfach ist voll", SOFT),
    ("5.0.0", "550 utilisateur inconnu", HARD),
    ("5.0.0", "550 Administrative prohibition", POLICY),
    ("5.0.0", "Unrouteable address", HARD),
    ("5.1.10", "550 5.1.10 Recipient domain has a null MX", HARD),
    ("5.0.0", "all hosts for 'acme.example' have been failing for a long time: retry time not reached", SOFT),
    ("5.0.0", "connect to mx.acme.example[192.0.2.5.1.1]:25: Connection timed out", SOFT),
    ("5.0.0", "550 Denied", UNKNOWN),
    ("5.5.4", "554 5.5.4 Error: no such option", UNKNOWN),
    ("", "", UNKNOWN),
]


@pytest.mark.parametrize(("status", "said", "kind"), SAID)
def test_a_refusal_costs_the_address_only_where_nobody_is_there(status: str, said: str, kind: BounceKind) -> None:
    assert judge_refusal(status, said).kind is kind


def test_a_status_part_in_base64_or_of_a_newer_type_is_read() -> None:
    report = EmailMessage()
    report["From"], report["To"] = "postmaster@acme.example", "sales@agency.example"
    report.set_content("It failed.")
    fields = (
        b"Reporting-MTA: dns; mx\n\nFinal-Recipient: utf-8; J\xc3\xb6rg@acme.example\nAction: failed\nStatus: 5.1.1\n"
    )
    report.add_attachment(fields, maintype="application", subtype="octet-stream", cte="base64")
    for kind in (b"message/delivery-status", b"message/global-delivery-status"):
        raw = report.as_bytes().replace(b"application/octet-stream", kind)
        assert [(one.recipient, one.kind) for one in judge(raw).bounces] == [("jörg@acme.example", HARD)], kind


def test_the_address_that_was_written_to_counts_and_not_where_it_was_forwarded() -> None:
    raw = (
        b"From: MAILER-DAEMON@mx.acme.example\nContent-Type: message/delivery-status\n\n"
        b"Reporting-MTA: dns; mx.acme.example\n\nOriginal-Recipient: rfc822;jane+2Bnews@acme.example\n"
        b"Final-Recipient: rfc822; jane@home.example\nAction: failed (bad)\nStatus: 5.1.1 (unknown)\n"
    )
    assert [(one.recipient, one.kind) for one in judge(raw).bounces] == [("jane+news@acme.example", HARD)]


def test_a_report_of_success_is_no_bounce() -> None:
    raw = (DOCUMENTED / "gmail-unknown.eml").read_bytes().replace(b"Action: failed", b"Action: relayed")
    found = judge(raw)
    assert (found.kind, found.bounces) == (InboundKind.RECEIPT, ())


def test_a_report_that_a_person_sends_on_is_an_answer() -> None:
    report = (DOCUMENTED / "gmail-unknown.eml").read_bytes()
    raw = (
        b"From: Jane <jane@acme.example>\nSubject: look\nContent-Type: multipart/mixed; boundary=fw\n\n"
        b"--fw\nContent-Type: text/plain\n\nI got this.\n--fw\nContent-Type: message/rfc822\n\n"
        + report
        + b"\n--fw--\n"
    )
    found = judge(raw)
    assert (found.kind, found.text) == (InboundKind.ANSWER, "I got this.")
