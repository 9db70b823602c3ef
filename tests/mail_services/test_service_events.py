"""What sending services tell, as events: which refusal gives an address up, whose wish is one, which message is one.

Shapes: Resend's page on webhook events, SendGrid's event webhook reference, Mailgun's "event structure", Postmark's
bounce and subscription webhooks with its list of bounce types, Amazon's examples of SES notifications.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from enrichment_assets.domain.delivery_events import DeliveryEvent, EventKind
from enrichment_assets.domain.mail.event_signatures import (
    is_certificate_of_sns,
    is_mailguns,
    is_of_sns,
    is_sendgrids,
    is_signed_by_sns,
)
from enrichment_assets.domain.mail.service_events import of_mailgun, of_postmark, of_resend, of_sendgrid, of_ses

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def resend(kind: str, **data: Any) -> DeliveryEvent:
    body = {"email_id": "56761188", "to": ["ann@example.com"], **data}
    (event,) = of_resend({"type": kind, "created_at": "2026-11-22T23:41:12.126Z", "data": body}, "msg_1", NOW)
    return event


def sendgrid(**event: Any) -> DeliveryEvent:
    (found,) = of_sendgrid([{"email": "ann@example.com", "timestamp": 1764370800, "sg_event_id": "e1", **event}], NOW)
    return found


def mailgun(**event: Any) -> DeliveryEvent:
    (found,) = of_mailgun(
        {"event-data": {"recipient": "ann@example.com", "timestamp": 1764370800.5, **event}}, "t", NOW
    )
    return found


def postmark(**message: Any) -> DeliveryEvent:
    (found,) = of_postmark({"MessageID": "883953f4", "Email": "ann@example.com", **message}, NOW)
    return found


def ses(kind: str, part: dict[str, Any], **mail: Any) -> list[DeliveryEvent]:
    about = {"messageId": "EXAMPLE7c191be45", "destination": ["ann@example.com"], **mail}
    name = "deliveryDelay" if kind == "DeliveryDelay" else kind.lower()
    return list(of_ses({"eventType": kind, "mail": about, name: part}, "sns-1", NOW))


def permanent(sub: str, **person: Any) -> dict[str, Any]:
    people = [{"emailAddress": "ann@example.com", **person}]
    return {"bounceType": "Permanent", "bounceSubType": sub, "bouncedRecipients": people, "feedbackId": "f1"}


KINDS: list[tuple[DeliveryEvent, EventKind]] = [
    (resend("email.delivered"), EventKind.DELIVERED),
    (resend("email.sent"), EventKind.NOTED),
    (resend("email.delivery_delayed"), EventKind.DEFERRED),
    (resend("email.complained"), EventKind.COMPLAINED),
    (resend("email.bounced", bounce={"type": "Permanent", "subType": "General"}), EventKind.BOUNCED),
    (resend("email.bounced", bounce={"type": "Transient", "subType": "MailboxFull"}), EventKind.DEFERRED),
    (resend("email.bounced", bounce={"type": "Undetermined"}), EventKind.DEFERRED),
    (resend("email.bounced", bounce={"type": "Permanent", "subType": "Suppressed"}), EventKind.BOUNCED_POLICY),
    (resend("email.suppressed"), EventKind.BOUNCED_POLICY),
    (resend("email.failed", failed={"reason": "reached_daily_quota"}), EventKind.NOTED),
    (sendgrid(event="processed"), EventKind.NOTED),
    (sendgrid(event="bounce", type="bounce", status="5.1.1", reason="550 5.1.1 no such user"), EventKind.BOUNCED),
    (sendgrid(event="bounce", type="bounce", reason="500 unknown recipient"), EventKind.BOUNCED),
    (sendgrid(event="bounce", type="blocked", status="5.7.1", reason="550 5.7.1 blocked"), EventKind.BOUNCED_POLICY),
    (sendgrid(event="bounce", type="bounce", status="5.7.1", reason="550 5.7.1 spam"), EventKind.BOUNCED_POLICY),
    (sendgrid(event="bounce", bounce_classification="Reputation", status="5.0.0"), EventKind.BOUNCED_POLICY),
    (sendgrid(event="bounce", bounce_classification="Mailbox Unavailable", status="5.2.2"), EventKind.DEFERRED),
    (sendgrid(event="bounce", type="bounce", status="4.2.2", reason="452 4.2.2 mailbox full"), EventKind.DEFERRED),
    (sendgrid(event="dropped", reason="Unsubscribed Address"), EventKind.UNSUBSCRIBED),
    (sendgrid(event="dropped", reason="Spam Reporting Address"), EventKind.COMPLAINED),
    (sendgrid(event="dropped", reason="Bounced Address"), EventKind.BOUNCED_POLICY),
    (sendgrid(event="spamreport"), EventKind.COMPLAINED),
    (sendgrid(event="group_unsubscribe"), EventKind.UNSUBSCRIBED),
    (sendgrid(event="group_resubscribe"), EventKind.NOTED),
    (mailgun(event="accepted"), EventKind.NOTED),
    (mailgun(event="failed", severity="temporary", reason="generic"), EventKind.DEFERRED),
    (
        mailgun(event="failed", severity="permanent", reason="bounce", **{"delivery-status": {"code": 550}}),
        EventKind.BOUNCED,
    ),
    (
        mailgun(
            event="failed", severity="permanent", reason="bounce",
            **{"delivery-status": {"code": 550, "enhanced-code": "5.7.1", "message": "rejected as spam"}},
        ),
        EventKind.BOUNCED_POLICY,
    ),
    (mailgun(event="failed", severity="permanent", reason="old"), EventKind.DEFERRED),
    (mailgun(event="failed", severity="permanent", reason="suppress-bounce"), EventKind.BOUNCED_POLICY),
    (mailgun(event="failed", severity="permanent", reason="suppress-unsubscribe"), EventKind.UNSUBSCRIBED),
    (mailgun(event="failed", severity="permanent", reason="suppress-complaint"), EventKind.COMPLAINED),
    (mailgun(event="unsubscribed"), EventKind.UNSUBSCRIBED),
    (postmark(RecordType="Delivery", Recipient="ann@example.com"), EventKind.DELIVERED),
    (postmark(RecordType="Bounce", ID=42, Type="HardBounce", Details="550 5.1.1 no such user"), EventKind.BOUNCED),
    (postmark(RecordType="Bounce", ID=42, Type="HardBounce", Details="554 5.7.1 blocked"), EventKind.BOUNCED_POLICY),
    (postmark(RecordType="Bounce", ID=42, Type="AutoResponder"), EventKind.AUTO_REPLIED),
    (postmark(RecordType="Bounce", ID=42, Type="Transient"), EventKind.DEFERRED),
    (postmark(RecordType="Bounce", ID=42, Type="SpamNotification"), EventKind.BOUNCED_POLICY),
    (postmark(RecordType="Bounce", ID=42, Type="ManuallyDeactivated"), EventKind.NOTED),
    (postmark(RecordType="SpamComplaint", ID=42), EventKind.COMPLAINED),
    (
        postmark(RecordType="SubscriptionChange", SuppressSending=True, Origin="Recipient",
                 SuppressionReason="ManualSuppression"),
        EventKind.UNSUBSCRIBED,
    ),
    (
        postmark(RecordType="SubscriptionChange", SuppressSending=True, Origin="Customer",
                 SuppressionReason="ManualSuppression"),
        EventKind.NOTED,
    ),
    (postmark(RecordType="SubscriptionChange", SuppressSending=False, Origin="Recipient"), EventKind.NOTED),
    (ses("Bounce", permanent("General", status="5.1.1"))[0], EventKind.BOUNCED),
    (ses("Bounce", permanent("NoEmail"))[0], EventKind.BOUNCED),
    (ses("Bounce", permanent("General", status="5.7.1", diagnosticCode="smtp; 550 5.7.1 spam"))[0],
     EventKind.BOUNCED_POLICY),
    (ses("Bounce", permanent("OnAccountSuppressionList"))[0], EventKind.BOUNCED_POLICY),
    (ses("Bounce", {**permanent("MailboxFull"), "bounceType": "Transient"})[0], EventKind.DEFERRED),
    (ses("Bounce", {**permanent("Undetermined"), "bounceType": "Undetermined"})[0], EventKind.DEFERRED),
    (ses("Complaint", {"complainedRecipients": [{"emailAddress": "ann@example.com"}]})[0], EventKind.COMPLAINED),
    (ses("Delivery", {"recipients": ["ann@example.com"]})[0], EventKind.DELIVERED),
    (ses("Send", {})[0], EventKind.NOTED),
]  # fmt: skip


def test_what_each_word_of_a_service_means() -> None:
    assert [(event.data, event.reason, event.kind) for event, kind in KINDS if event.kind is not kind] == []
    assert {event.address for event, _ in KINDS} == {"ann@example.com"}


def test_events_are_known_again_by_the_services_own_keys_and_find_their_mail() -> None:
    assert (resend("email.delivered").key, resend("email.delivered").external_id) == ("msg_1", "56761188")
    several = of_resend({"type": "email.delivered", "data": {"to": ["a@x.de", "b@x.de"]}}, "msg_1", NOW)
    assert [(event.key, event.address, event.at) for event in several] == [
        ("msg_1", "a@x.de", NOW),
        ("msg_1:1", "b@x.de", NOW),
    ]
    assert list(of_resend({"type": "domain.updated", "data": {}}, "msg_2", NOW)) == []
    found = sendgrid(
        event="delivered", sg_message_id="14c5d75ce93.filter0001.16648.5515E0B88.0", **{"smtp-id": "<x@y>"}
    )
    assert (found.key, found.external_id, found.message_id) == ("e1", "14c5d75ce93", "x@y")
    assert found.at == datetime(2025, 11, 28, 23, tzinfo=UTC)
    sent = mailgun(event="delivered", message={"headers": {"message-id": "20261129.1@mg.example.com"}})
    assert (sent.key, sent.external_id) == ("t", "<20261129.1@mg.example.com>")
    bounce = postmark(
        RecordType="Bounce", ID=4323372036854775807, Type="Transient", BouncedAt="2026-11-05T16:33:54.9070259Z"
    )
    assert bounce.key == "Bounce:4323372036854775807" and bounce.at.microsecond == 907025
    both = ses(
        "Bounce", {**permanent("General"), "bouncedRecipients": [{"emailAddress": a} for a in ("a@x.de", "b@x.de")]}
    )
    assert [(event.key, event.address) for event in both] == [("f1", "a@x.de"), ("f1:1", "b@x.de")]


def test_what_is_not_as_agreed_breaks_nothing() -> None:
    for odd in ({}, {"data": []}, {"type": 3}, {"type": "email.bounced", "data": {"bounce": "x", "to": None}}):
        assert all(event.kind is not EventKind.BOUNCED for event in of_resend(odd, "k", NOW))
    assert [event.kind for event in of_sendgrid([{}, {"event": None, "timestamp": "soon"}], NOW)] == [
        EventKind.NOTED
    ] * 2
    assert [event.at for event in of_mailgun({"event-data": {"timestamp": 1e300}}, "t", NOW)] == [NOW]
    assert [event.kind for event in of_ses({"mail": {"destination": 7}}, "k", NOW)] == [EventKind.NOTED]


def test_sendgrids_signature_is_of_the_time_and_the_bytes() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    public = base64.b64encode(
        private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).decode()
    body = b'[{"event":"bounce"}]\r\n'  # its trailing bytes are signed too
    signature = base64.b64encode(private.sign(b"1764370800" + body, ec.ECDSA(SHA256()))).decode()
    name = "x-twilio-email-event-webhook-"
    headers = {f"{name}signature": signature, f"{name}timestamp": "1764370800"}
    assert is_sendgrids(public, headers, body)
    for key, said, of in [
        (public, headers, body.strip()), (public, {}, body),
        (public, {**headers, f"{name}timestamp": "1764370801"}, body),
        (public, {**headers, f"{name}signature": "AAAA"}, body), ("", headers, body), ("no key", headers, body),
    ]:  # fmt: skip
        assert not is_sendgrids(key, said, of)


def test_mailguns_signature_is_of_time_and_token() -> None:
    said = hmac.new(b"key", b"1764370800tok", hashlib.sha256).hexdigest()
    good = {"timestamp": "1764370800", "token": "tok", "signature": said}
    assert is_mailguns("key", good) and is_mailguns("key", {**good, "timestamp": 1764370800})
    for wrong in ({**good, "token": "tok2"}, {**good, "signature": ""}, {**good, "signature": None}, None, [], {}):
        assert not is_mailguns("key", wrong)
    assert not is_mailguns("", good) and not is_mailguns("another", good)


def certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(7).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM)


def test_sns_signs_its_messages_and_only_its_own_addresses_are_believed() -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = certificate(key)
    message = {
        "Type": "Notification", "MessageId": "m1", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:mail",
        "Message": json.dumps({"eventType": "Bounce"}), "Timestamp": "2026-11-29T12:00:00.000Z",
    }  # fmt: skip
    # AWS, "Verifying the signatures of Amazon SNS messages": names and values by lines, no subject where there is none.
    text = (
        f"Message\n{message['Message']}\nMessageId\nm1\nTimestamp\n{message['Timestamp']}\n"
        f"TopicArn\n{message['TopicArn']}\nType\nNotification\n"
    ).encode()
    for version, algorithm in (("1", SHA1()), ("2", SHA256())):
        signature = base64.b64encode(key.sign(text, padding.PKCS1v15(), algorithm)).decode()
        signed = {**message, "SignatureVersion": version, "Signature": signature}
        assert is_signed_by_sns(signed, pem)
        for name in ("Message", "MessageId", "Timestamp", "TopicArn"):
            assert not is_signed_by_sns({**signed, name: "other"}, pem)
        assert not is_signed_by_sns({**signed, "SignatureVersion": "3"}, pem)
        assert not is_signed_by_sns({**signed, "Type": "Other"}, pem)
        assert not is_signed_by_sns(signed, certificate(rsa.generate_private_key(65537, 2048)))
        assert not is_signed_by_sns(signed, b"no certificate")
    good = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"
    assert is_certificate_of_sns(good) and is_of_sns(
        "https://sns.cn-north-1.amazonaws.com.cn/?Action=ConfirmSubscription"
    )
    for wrong in (
        good.replace("https", "http"), good.replace("sns.", "sns-"), good.replace(".com/", ".com.evil.example/"),
        good.replace("https://", "https://evil.example#"), "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem",
        good.replace("https://", "https://user@"), good.replace(".com/", ".com:8443/"), good + "?x=1\n", None, 7,
        "https://s3.eu-west-1.amazonaws.com/x.pem",
    ):  # fmt: skip
        assert not is_certificate_of_sns(wrong), wrong
    assert not is_certificate_of_sns(good.removesuffix(".pem")), "an address of SNS that is no certificate"


@pytest.mark.parametrize("kind", ["resend", "sendgrid", "mailgun", "postmark", "ses"])
def test_every_service_has_a_reader(kind: str) -> None:
    from enrichment_assets.services.deliveries.readers import kinds, reader_of

    assert kind in kinds()
    assert reader_of(kind).says.startswith("mail by ")
    assert (reader_of(kind).is_authentic is None) is (kind == "postmark"), "Postmark alone signs nothing"
