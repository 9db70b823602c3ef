"""Messages, byte for byte: headers that are never mangled, addresses of every script, texts that every server takes."""

from __future__ import annotations

import email
import email.charset
import email.policy
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from enrichment_assets.domain.mail.addresses import mail_address
from enrichment_assets.domain.mail.message import (
    Draft,
    Message,
    Sender,
    Thread,
    Unsubscribe,
    build_message,
    message_id,
)
from enrichment_assets.domain.mail.refusals import MailRefusedError
from enrichment_assets.domain.mail.signing import DkimKey, signed

ANN = mail_address("ann@acme.example")
BOB = mail_address("bob@club.example")
SENDER = Sender("Ann Lee", ANN, "Acme Inc., 1 Main Street, Erie PA", "No further mail: {link}")
LINK = Unsubscribe("https://mail.acme.example/unsubscribe/t0ken")
MOMENT = datetime(2026, 11, 30, 9, 0, 7, 123, tzinfo=timezone(-timedelta(hours=5)))


def built(draft: Draft | None = None, sender: Sender = SENDER, to: str = "bob@club.example", **more: Any) -> Message:
    given: dict[str, Any] = {"key": "k1", "date": MOMENT, "unsubscribe": LINK} | more
    return build_message(draft or Draft("A word", "Hello Bob"), sender, mail_address(to), **given)


def head_of(message: Message) -> bytes:
    return message.content.partition(b"\r\n\r\n")[0] + b"\r\n"


def text_of(message: Message) -> str:
    """What a reader's program shows, without what stands below each mail."""
    parsed = email.message_from_bytes(message.content, policy=email.policy.default)
    body = parsed.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n").partition("\nNo further mail")[0]


def field_of(message: Message, name: str) -> str:
    """The header as it stands on the wire, unfolded."""
    lines = head_of(message).decode().replace("\r\n ", " ").split("\r\n")
    (found,) = [line.partition(": ")[2] for line in lines if line.partition(":")[0] == name]
    return found


def test_a_message_is_these_bytes_in_every_attempt() -> None:
    message = built(recipient_name="Bob Bell")
    identifier = message_id("k1", ANN)
    assert message.content == (
        b"Date: Mon, 30 Nov 2026 09:00:07 -0500\r\n"
        b"From: Ann Lee <ann@acme.example>\r\n"
        b"To: Bob Bell <bob@club.example>\r\n"
        b"Subject: A word\r\n"
        b"Message-ID: " + identifier.encode() + b"\r\n"
        b"List-Unsubscribe: <https://mail.acme.example/unsubscribe/t0ken>\r\n"
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        b"MIME-Version: 1.0\r\n"
        b'Content-Type: text/plain; charset="utf-8"\r\n'
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\n"
        b"Hello Bob\r\n"
        b"\r\n"
        b"No further mail: https://mail.acme.example/unsubscribe/t0ken\r\n"
        b"\r\n"
        b"Acme Inc., 1 Main Street, Erie PA\r\n"
    )
    assert built(recipient_name="Bob Bell") == message
    assert (message.mail_from, message.rcpt_to, message.message_id) == (str(ANN), str(BOB), identifier)


def test_a_message_id_is_made_of_the_key_and_of_the_senders_own_domain() -> None:
    assert message_id("k1", ANN).endswith("@acme.example>") and len(message_id("k1", ANN)) == 47
    assert "secret" not in message_id("secret", ANN)
    assert len({message_id(key, one) for key in ("k1", "k2") for one in (ANN, BOB)}) == 4


LONG_ID = f"<{'x' * 300}@mail.outlook.example>"


@pytest.mark.parametrize(
    ("thread", "lines"),
    [
        # Python's modern policies make =?utf-8?q?...?= of an identifier of 78 characters and more.
        (Thread(f"<{'a' * 80}@x.example>", (f"<{'a' * 80}@x.example>",)), 1),
        (Thread(LONG_ID, (LONG_ID, f"<{'b' * 600}@y.example>", "<c@z.example>")), 3),
        (Thread("<c@z.example>", tuple(f"<{number:040}@x.example>" for number in range(40))), 40),
        (Thread("<a@b.example>", ()), 1),
    ],
)
def test_identifiers_are_whole_and_fold_between_each_other_only(thread: Thread, lines: int) -> None:
    message = built(thread=thread)
    assert field_of(message, "In-Reply-To") == thread.in_reply_to
    assert field_of(message, "References").split() == list(thread.references or (thread.in_reply_to,))
    assert head_of(message).partition(b"References:")[2].partition(b"List-")[0].count(b"\r\n") == lines
    assert max(map(len, message.content.split(b"\r\n"))) <= 998
    assert b"=?" not in head_of(message)


def test_of_a_very_long_thread_the_first_and_the_latest_are_named() -> None:
    named = [f"<{number}@x.example>" for number in range(400)]
    message = built(thread=Thread(named[-1], tuple(named)))
    assert field_of(message, "References").split() == [named[0], *named[-49:]]


def test_a_long_address_to_unsubscribe_is_whole() -> None:
    url, mailto = f"https://mail.acme.example/u/{'Ab-_9' * 60}", "mailto:no+t0ken@acme.example?subject=unsubscribe"
    message = built(unsubscribe=Unsubscribe(url, mailto))
    assert field_of(message, "List-Unsubscribe") == f"<{url}>, <{mailto}>"
    assert f"\r\n <{mailto}>\r\n".encode() in message.content


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("", "ann@acme.example"),
        ("Ann Lee", "Ann Lee <ann@acme.example>"),
        ("Lee, Ann", '"Lee, Ann" <ann@acme.example>'),
        ('Ann "The Boss" Lee', '"Ann \\"The Boss\\" Lee" <ann@acme.example>'),
        ("Ann \\ Lee", '"Ann \\\\ Lee" <ann@acme.example>'),
        ("Ann (Acme)", '"Ann (Acme)" <ann@acme.example>'),
        ("Dr. Ann", '"Dr. Ann" <ann@acme.example>'),
        ("ann@acme.example", '"ann@acme.example" <ann@acme.example>'),
        ("Zoë", "=?utf-8?q?Zo=C3=AB?= <ann@acme.example>"),
        ("=?utf-8?q?Bob?=", "=?utf-8?b?PT91dGYtOD9xP0JvYj89?= <ann@acme.example>"),
    ],
)
def test_a_display_name_is_read_as_it_was_given(name: str, spelled: str) -> None:
    message = built(sender=Sender(name, ANN, "Erie", "No further mail"))
    assert field_of(message, "From") == spelled
    parsed = email.message_from_bytes(message.content, policy=email.policy.default)["From"]
    assert [(one.display_name, one.addr_spec) for one in parsed.addresses] == [(name, "ann@acme.example")]


def test_another_librarys_table_of_encodings_changes_no_mail() -> None:
    """`email.charset` has one table for the process, and apprise's plugin for mail writes into it."""
    before, seen = email.charset.CHARSETS["utf-8"], set()
    try:
        for encoding in (email.charset.BASE64, email.charset.QP):
            email.charset.add_charset("utf-8", encoding, encoding, "utf-8")
            seen.add(built(sender=Sender("株式会社", ANN, "Erie", "No further mail")).content)
    finally:
        email.charset.CHARSETS["utf-8"] = before
    assert len(seen) == 1


@pytest.mark.parametrize(
    "subject",
    [
        "A word",
        "Re: two  blanks   and {{ first_name }} and 50 % =? off",
        "Grüße an Zoë aus Bücherhausen, die sehr lange Zeile geht weiter und weiter, bis sie gefaltet werden muss",
        "会社" * 60,
        "👋🏽" * 20,
        "plain " * 40 + "end",
        "x" * 490,
        "a\u00a0b",
    ],
)
def test_a_subject_is_read_as_it_was_approved(subject: str) -> None:
    message = built(Draft(subject, "Hello"))
    assert email.message_from_bytes(message.content, policy=email.policy.default)["Subject"] == subject
    assert message.content.isascii()
    words = [one for one in field_of(message, "Subject").split() if one.startswith("=?")]
    assert max(map(len, words), default=0) <= 75
    assert max(map(len, head_of(message).split(b"\r\n"))) <= 998


BAD = ("Hi\r\nBcc: all@x.example", "Hi\nX: y", "Hi\rX: y", "a\x00b", "a\u2028b", "a\x85b", "a\tb", "a\x0bb", "a\ud800b")


@pytest.mark.parametrize("text", BAD)
def test_no_field_can_add_a_header(text: str) -> None:
    for refused in (
        lambda: built(Draft(text, "Hello")),
        lambda: built(sender=Sender(text, ANN, "Erie")),
        lambda: built(recipient_name=text),
        lambda: built(unsubscribe=Unsubscribe(f"https://x.example/{text}")),
        lambda: built(thread=Thread(f"<{text}@x.example>", ())),
        lambda: built(thread=Thread("<a@x.example>", (f"<{text}@x.example>",))),
        lambda: mail_address(f"bob@club.example{text}"),
        lambda: mail_address(f"{text}@club.example"),
    ):
        with pytest.raises(MailRefusedError):
            refused()


@pytest.mark.parametrize(
    ("given", "spelled", "utf8"),
    [
        ("Bob.Bell+golf@Club.Example", "Bob.Bell+golf@club.example", False),
        ("bob@club.example.", "bob@club.example", False),
        ("bob@bücher.example", "bob@xn--bcher-kva.example", False),
        ("bob@BÜCHER.example.", "bob@xn--bcher-kva.example", False),
        ('"bob bell"@club.example', '"bob bell"@club.example', False),
        ("jörg@bücher.example", "jörg@xn--bcher-kva.example", True),
        ("用户@例え.example", "用户@xn--r8jz45g.example", True),
        ("o'hara@club.example", "o'hara@club.example", False),
    ],
)
def test_an_address_is_spelled_for_the_wire(given: str, spelled: str, utf8: bool) -> None:
    message = built(to=given, recipient_name="Bob")
    assert (message.rcpt_to, message.needs_smtputf8) == (spelled, utf8)
    assert field_of(message, "To") == f"Bob <{spelled}>"
    assert message.content.isascii() is not utf8


@pytest.mark.parametrize(
    "text",
    ["", "bob", "bob@", "@club.example", "bob@club", "a@b.example, c@d.example", "Bob <bob@club.example>",
     "bob@@x.example", "bob@club..example", "bob@club.example..", "bob@[127.0.0.1]", f"{'b' * 65}@club.example",
     "bob @club.example", "b..b@club.example", f"bob@{'x' * 60}.{'y' * 60}.{'z' * 60}.{'w' * 60}.{'v' * 20}.example"],
)  # fmt: skip
def test_what_is_no_single_address_is_refused(text: str) -> None:
    with pytest.raises(MailRefusedError):
        mail_address(text)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        ("Hello\nBob", "7bit"),
        ("one\r\ntwo\rthree\nfour", "7bit"),
        (".\n..\n.hidden\n", "7bit"),
        ("x" * 77, "quoted-printable"),
        ("word " * 400, "quoted-printable"),
        ("From here on\nFrom there", "quoted-printable"),
        ("Grüße aus Köln, trailing blank \nand {{ code }}", "quoted-printable"),
        ("日本語の文章" * 50, "base64"),
    ],
)
def test_a_text_arrives_as_it_was_approved_through_any_server(body: str, encoding: str) -> None:
    message = built(Draft("Hi", body))
    assert field_of(message, "Content-Transfer-Encoding") == encoding
    lines = message.content.split(b"\r\n")
    assert b"\r" not in b"".join(lines) and b"\n" not in b"".join(lines)
    assert message.content.isascii() and max(map(len, lines)) <= 78
    assert not any(line.startswith(b"From ") for line in lines)
    plain = body.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    assert text_of(message) == f"{plain}\n"


def test_html_is_the_same_words_and_nothing_else() -> None:
    sender = Sender("Ann", ANN, "Acme & Co\n1 Main Street", "Out? {link}", html=True)
    message = built(Draft("Hi", "Hi <b>Bob</b> & co,\nsee https://acme.example/a?b=1&c=2.\n\nAnn"), sender)
    parsed = email.message_from_bytes(message.content, policy=email.policy.default)
    assert parsed.get_content_type() == "multipart/alternative"
    plain, rich = (part.get_content().replace("\r\n", "\n") for part in parsed.iter_parts())
    assert plain.startswith("Hi <b>Bob</b> & co,\nsee https://acme.example/a?b=1&c=2.\n\nAnn\n\nOut? https://mail.")
    link = "https://acme.example/a?b=1&amp;c=2"
    assert f'<p>Hi &lt;b&gt;Bob&lt;/b&gt; &amp; co,<br>\nsee <a href="{link}">{link}</a>.</p>\n<p>Ann</p>' in rich
    assert "<p>Acme &amp; Co<br>\n1 Main Street</p>" in rich and "<img" not in rich


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"sender": Sender("Ann", ANN, " \n ")}, "mail.no_postal_address"),
        ({"sender": Sender("Ann", ANN, "Erie", " {link} ")}, "mail.no_opt_out"),
        ({"unsubscribe": Unsubscribe("")}, "mail.no_unsubscribe"),
        ({"unsubscribe": Unsubscribe("http://mail.acme.example/u")}, "mail.no_unsubscribe"),
        ({"unsubscribe": Unsubscribe("https://mail.acme.example/ü")}, "mail.unsubscribe_address"),
        ({"draft": Draft("Hi", " \n ")}, "mail.no_text"),
        ({"draft": Draft("  ", "Hello")}, "mail.no_subject"),
        ({"draft": Draft("Hi", "a\x07b")}, "mail.control_character"),
        ({"draft": Draft("x" * 501, "Hello")}, "mail.subject_too_long"),
        ({"draft": Draft("Hi", "x" * 100_001)}, "mail.text_too_long"),
        ({"thread": Thread("a@b.example", ())}, "mail.message_id"),
        ({"thread": Thread(f"<{'x' * 1000}@b.example>", ())}, "mail.header_too_long"),
        ({"recipient_name": "x" * 1000}, "mail.header_too_long"),
    ],
)
def test_without_what_each_mail_needs_there_is_none(given: dict[str, Any], code: str) -> None:
    with pytest.raises(MailRefusedError) as refused:
        built(**given)
    assert refused.value.code == code


def test_a_date_without_a_zone_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="time zone"):
        built(date=datetime(2026, 11, 30))  # noqa: DTZ001


def test_an_opt_out_without_a_place_for_the_link_has_it_below() -> None:
    message = built(sender=Sender("Ann", ANN, "Erie", "Write STOP to hear no more."))
    assert b"Write STOP to hear no more.\r\nhttps://mail.acme.example/unsubscribe/t0ken\r\n" in message.content


def test_a_signature_covers_both_unsubscribe_headers_and_notices_a_change(rsa_key: tuple[bytes, bytes]) -> None:
    import dkim

    pem, public = rsa_key
    content = built(thread=Thread("<a@x.example>", ("<a@x.example>",))).content
    whole = signed(content, DkimKey("s1", "acme.example", pem))
    assert whole.endswith(content) and whole.startswith(
        b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=acme."
    )

    def key(name: bytes, timeout: int = 5) -> bytes:
        return b"v=DKIM1; k=rsa; p=" + public if name == b"s1._domainkey.acme.example." else b""

    assert dkim.verify(whole, dnsfunc=key)
    for old, new in (
        (b"unsubscribe/t0ken>", b"unsubscribe/other>"),
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click", b"List-Unsubscribe-Post: x"),
        (b"Hello Bob", b"Hello Rob"),
        (b"Subject: A word\r\n", b"Subject: A word\r\nSubject: Another\r\n"),
        (b"MIME-Version", b"Reply-To: eve@x.example\r\nMIME-Version"),
    ):
        assert old in whole and not dkim.verify(whole.replace(old, new, 1), dnsfunc=key), old


def test_a_key_that_is_none_signs_nothing_and_is_not_repeated() -> None:
    with pytest.raises(MailRefusedError) as refused:
        signed(built().content, DkimKey("s1", "acme.example", b"hunter2"))
    assert refused.value.code == "mail.dkim_key" and "hunter2" not in str(refused.value)
