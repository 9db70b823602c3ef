"""Answers: what their author wrote, whether it was a machine, when somebody is back, who asks to be left alone."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

import pytest

from enrichment_assets.domain.mail.inbound import Inbound, InboundKind, judge
from enrichment_assets.domain.mail.written import cut

TODAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

QUOTED = {
    "Gmail": "{}\n\nOn Mon, Nov 2, 2026 at 9:00 AM Sam Sales <sam@agency.example> wrote:\n\n> Hello\n> unsubscribe\n",
    "Gmail, folded": "{}\n\nOn Mon, Nov 2, 2026 at 9:00 AM Sam Long Sales <\nsam@agency.example> wrote:\n\n> Hello\n",
    "Gmail, German": "{}\n\nAm Mo., 2. Nov. 2026 um 09:00 Uhr schrieb Sam <sam@agency.example>:\n\n> abmelden\n",
    "Gmail, French": "{}\n\nLe lun. 2 nov. 2026 à 09:00, Sam <sam@agency.example> a écrit :\n\n> se désabonner\n",
    "Gmail, Spanish": "{}\n\nEl lun, 2 nov 2026 a las 9:00, Sam (<sam@agency.example>) escribió:\n\n> darse de baja\n",
    "Gmail, Italian": "{}\n\nIl giorno lun 2 nov 2026 alle ore 09:00 Sam <sam@agency.example> ha scritto:\n\n> Ciao\n",
    "Gmail, Dutch": "{}\n\nOp ma 2 nov 2026 om 09:00 schreef Sam <sam@agency.example>:\n\n> uitschrijven\n",
    "Gmail, Polish": "{}\n\npon., 2 lis 2026 o 09:00 Sam <sam@agency.example> napisał(a):\n\n> wypisz\n",
    "Gmail, Japanese": "{}\n\n2026年11月2日(月) 9:00 Sam <sam@agency.example>:\n\n> x\n",
    "Thunderbird": "{}\n\nAm 02.11.26 um 09:00 schrieb Sam Sales:\n> Hallo\n",
    "Yahoo": (
        "{}\n\n    On Monday, November 2, 2026 at 09:00:00 AM GMT, Sam <sam@agency.example> wrote:  \n \n Hello\n\n"
        "unsubscribe\n"
    ),
    "Apple Mail": "{}\n\n> On 2 Nov 2026, at 09:00, Sam Sales <sam@agency.example> wrote:\n> \n> unsubscribe\n",
    "Outlook": (
        "{}\n\nFrom: Sam Sales <sam@agency.example>\nSent: Monday, November 2, 2026 9:00 AM\n"
        "To: Jane Roe <jane@acme.example>\nSubject: A question\n\nHello, unsubscribe here\n"
    ),
    "Outlook on the web": (
        "{}\n________________________________\nFrom: Sam Sales <sam@agency.example>\n"
        "Sent: Monday, November 2, 2026 9:00:00 AM\nTo: Jane\nSubject: A question\n\nunsubscribe\n"
    ),
    "Outlook, German": (
        "{}\n\nVon: Sam Sales <sam@agency.example>\nGesendet: Montag, 2. November 2026 09:00\n"
        "An: Jane Roe <jane@acme.example>\nBetreff: Frage\n\nabmelden\n"
    ),
    "Outlook, bold": (
        "{}\n\n*From:* Sam Sales <sam@agency.example>\n*Sent:* 02 November 2026 09:00\n*To:* Jane\n*Subject:* A\n\nx\n"
    ),
    "Outlook, Chinese": (
        "{}\n\n发件人: Sam Sales <sam@agency.example>\n发送时间: 2026年11月2日 9:00\n收件人: Jane\n主题: A\n\nx\n"
    ),
    "old Outlook": "{}\n\n-----Original Message-----\nFrom: Sam\nSent: Monday\nTo: Jane\nSubject: A\n\nunsubscribe\n",
    "a signature": "{}\n-- \nJane Roe\nAcme\n",
    "nothing": "{}",
}


@pytest.mark.parametrize("program", QUOTED)
def test_what_an_answer_quotes_is_cut_however_its_program_writes_it(program: str) -> None:
    for wrote in ("Gern, rufen Sie mich an.\n\nJane", "Three things:\n- one\n- two: see https://acme.example", "Nein."):
        assert cut(QUOTED[program].format(wrote)) == wrote


def test_what_stands_between_quoted_lines_is_kept_and_so_is_a_sentence_that_ends_in_a_colon() -> None:
    assert cut("> Would Tuesday suit?\nYes.\n> At nine?\nNo, ten.\n") == "Yes.\nNo, ten."
    assert cut("On Monday we wrote:\nI think that\nOn Tuesday I am free.") == (
        "On Monday we wrote:\nI think that\nOn Tuesday I am free."
    )


def _mail(body: str, *headers: str, kind: str = "text/plain") -> bytes:
    own = ["From: Jane Roe <jane@acme.example>", "To: sam@agency.example", f"Content-Type: {kind}; charset=utf-8"]
    return "\n".join([*own, *headers, "", body]).encode()


def _judged(body: str, *headers: str, kind: str = "text/plain") -> Inbound:
    return judge(_mail(body, *headers, kind=kind), TODAY)


def test_html_alone_is_read_as_it_is_seen_and_its_quotation_goes() -> None:
    for body in (
        "<style>p{}</style><div>Yes,<br>call me</div>"
        '<div class="gmail_quote">On ...<blockquote>unsubscribe</blockquote></div>',
        '<p>Yes,<br>call me</p><div id="appendonsend"></div><hr>'
        '<div id="divRplyFwdMsg">From: Sam</div><div>unsubscribe</div>',
        '<p>Yes,</p><p>call me</p><blockquote type="cite">unsubscribe</blockquote>',
        "<p>Yes,<br>call me</p><div style='border-top:solid 1pt'><p><b>From:</b> Sam &lt;sam@agency.example&gt;<br>"
        "<b>Sent:</b> Monday, November 2, 2026 9:00 AM<br><b>To:</b> Jane<br></p></div><p>unsubscribe</p>",
    ):
        found = _judged(body, kind="text/html")
        assert found.text.split() == ["Yes,", "call", "me"], body
        assert found.stop is None


AUTOMATIC = [
    # RFC 3834, 5; Exchange's and Gmail's vacation answers; older programs
    ["Auto-Submitted: auto-replied"],
    ["Auto-Submitted: auto-generated (out of office)"],
    ["X-Autoreply: yes", "Precedence: bulk"],
    ["X-Autorespond: A question"],
    ["Precedence: auto_reply"],
    ["Precedence: junk"],
    ["Return-Path: <>"],
    ["Subject: Automatic reply: A question", "X-Auto-Response-Suppress: All"],
]


def test_a_machine_that_says_what_it_is_has_not_answered() -> None:
    for headers in AUTOMATIC:
        assert _judged("Thanks for your message.", *headers).kind is InboundKind.AUTO_REPLY, headers
    for headers in (
        ["Auto-Submitted: no"],
        ["X-Autoreply: no"],
        ["Precedence: normal"],
        ["Return-Path: <jane@acme.example>"],
    ):
        assert _judged("Thanks for your message.", *headers).kind is InboundKind.ANSWER, headers


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Out of Office: A question", "I am out of the office until Monday."),
        ("Abwesenheitsnotiz: Frage", "Ich bin derzeit im Urlaub."),
        ("=?utf-8?q?R=C3=A9ponse_automatique_=3A?= Question", "Je suis actuellement absent du bureau."),
        ("Respuesta automática: Pregunta", "Estoy ausente."),
        ("Risposta automatica: Domanda", "Sono assente fino al 9 novembre."),
        ("Automatisch antwoord: Vraag", "Ik ben met vakantie."),
        ("Autosvar: Fråga", "Jag är på semester."),
        ("Automatyczna odpowiedź: Pytanie", "Jestem na urlopie."),
    ],
)
def test_a_subject_and_words_together_are_a_machines(subject: str, body: str) -> None:
    assert _judged(body, f"Subject: {subject}").kind is InboundKind.AUTO_REPLY


def test_a_subject_alone_is_not_believed() -> None:
    """Who takes a person's answer for a machine's goes on writing to them."""
    assert _judged("Sure, call me.", "Subject: Out of Office: A question").kind is InboundKind.ANSWER
    assert _judged("I am out of the office now, call me.", "Subject: Re: Out of office").kind is InboundKind.ANSWER
    assert _judged("I will be back on Monday, call me then.", "Subject: Re: A question").kind is InboundKind.ANSWER


BACK = [
    ("I am away until 9 November 2026.", date(2026, 11, 10)),
    ("I will be back in the office on Monday, November 9th.", date(2026, 11, 9)),
    ("I'm on leave until and including Friday 6 November and return on 9 November.", date(2026, 11, 9)),
    ("Ich bin bis zum 08.11.2026 im Urlaub.", date(2026, 11, 9)),
    ("Ich bin bis einschließlich 13.11. nicht im Büro, ab Montag wieder da.", date(2026, 11, 14)),
    ("Ich bin wieder erreichbar ab Montag, den 9. November.", date(2026, 11, 9)),
    ("Je suis en congé jusqu'au 8 novembre inclus.", date(2026, 11, 9)),
    ("De retour le lundi 9 novembre 2026.", date(2026, 11, 9)),
    ("Estaré fuera de la oficina hasta el 8 de noviembre.", date(2026, 11, 9)),
    ("Sono in ferie fino al 15 gennaio.", date(2027, 1, 16)),  # the next January
    ("Ik ben afwezig t/m 8 november 2026.", date(2026, 11, 9)),
    ("Jag är på semester till och med 8 november.", date(2026, 11, 9)),
    ("Back on 2026-11-09.", date(2026, 11, 9)),
    ("I am out from 2 to 9 November 2026, write to my 12 colleagues.", date(2026, 11, 10)),
    ("Je suis absent du 2 au 9 novembre.", date(2026, 11, 10)),
    ("Estar\u00e9 fuera del 2 al 9 de noviembre.", date(2026, 11, 10)),
    ("Van 2 tot 9 november ben ik er niet.", date(2026, 11, 10)),
    ("I am away until 11/12/2026.", None),  # December, or the twelfth of November
    ("I am away until further notice.", None),
    ("I was away until 9 October 2026.", None),  # over
    ("I am on parental leave until 9 November 2031.", None),  # too far ahead to be believed
    ("We grew from 1 to 200 people in 2026.", None),
]


@pytest.mark.parametrize(("body", "back"), BACK)
def test_the_day_on_which_somebody_is_back_is_read_where_it_can_be_one_day_only(body: str, back: date | None) -> None:
    assert _judged(body, "Auto-Submitted: auto-replied").back == back


STOPS = [
    "STOP",
    "Unsubscribe.",
    "Please unsubscribe me, thanks",
    "Hi Sam,\n\nplease remove me from your list.\n\nJane",
    "Stop emailing me!",
    "Take us off your mailing list",
    "I do not wish to be contacted. Don't email me again.",
    "Bitte keine weiteren E-Mails.",
    "Bitte löschen Sie meine Daten!",
    "Abmelden",
    "Ich widerspreche der Nutzung meiner Daten.",
    "Merci de ne plus me contacter.",
    "Désabonner",
    "Retirez-moi de votre liste s'il vous plaît",
    "Por favor, no me escriban más.",
    "Darme de baja",
    "Vi prego di non contattarmi più",
    "Cancellatemi dalla lista",
    "Remova-me da lista",
    "Graag uitschrijven",
    "Haal mij van de lijst",
    "Kontakta mig inte igen",
    "Proszę o usunięcie mojego adresu",
    "Удалите меня из списка",
]
NO_STOPS = [
    "I'll stop by on Monday.",
    "Can we stop the leak on the seventh green?",
    "Sounds good, call me.",
    "Wir haben kein Interesse.",
    "Not interested, thanks.",
    "How do people unsubscribe from your service, does it have a page?",
    "We cancel our old contract in May, write to me then.",
    "Bitte rufen Sie mich an.",
    "",
    "Nous arrêtons en mai.",
]


def test_a_wish_to_be_left_alone_is_seen_in_several_languages_and_not_where_none_is() -> None:
    assert [text for text in STOPS if _judged(text).stop is None] == []
    assert [(text, _judged(text).stop) for text in NO_STOPS if _judged(text).stop] == []


def test_our_own_footer_is_no_wish_and_a_machine_wishes_nothing() -> None:
    for quoted in QUOTED.values():
        assert _judged(quoted.format("Yes, call me.")).stop is None
    assert _judged("", "Subject: unsubscribe").stop == "unsubscribe"
    assert _judged("Sure.", "Subject: Re: unsubscribe").stop is None
    assert _judged("Please remove me from your list", "Auto-Submitted: auto-replied").stop is None


def test_what_an_answer_is_about_is_named_nearest_first() -> None:
    found = _judged(
        "Yes.", "Message-ID: <r1@acme.example>", "In-Reply-To: <m2@agency.example>",
        "References: <m1@agency.example>\n <other@x.example> <m2@agency.example>", "Cc: Bob <BOB@Acme.example>",
    )  # fmt: skip
    assert found.about == ("m2@agency.example", "other@x.example", "m1@agency.example")
    assert (found.message_id, found.sender) == ("r1@acme.example", "jane@acme.example")
    assert found.to == ("sam@agency.example", "bob@acme.example")


def test_nothing_hostile_stops_the_reading() -> None:
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000))
    attached = b"".join(b"Content-Type: message/rfc822\n\n" for _ in range(3000))
    hostile = [
        b"", b"\x00" * 100, b"\xff\xfe" * 50, b"no headers at all", b"From: \n\n", nested, attached,
        b"From: a\n" + nested,
        b"Content-Type: multipart/report; boundary\n\nx", b"Content-Type: multipart/mixed\n\n--\n",
        b"Subject: =?utf-8?b?%%%?= =?x-none?q?a?=\nDate: 99 Foo 9999\nReferences: <<<<>>> <a\n\nx",
        b"Content-Type: text/plain; charset=zip\nContent-Transfer-Encoding: base64\n\n!!!!",
        b"Content-Type: text/html\n\n" + b"<div>" * 50_000, b"References: " + b"<a@b> " * 50_000 + b"\n\nx",
        b"Content-Type: message/delivery-status\n\n" + b"Action: failed\n\n" * 5_000,
        b"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n====",
        b"From: " + b"\"" * 10_000 + b"\nTo: " + b"(" * 10_000 + b"\n\nx",
        b"Date: Mon, 2 Nov 99999 09:00:00 +9999\n\nx",
    ]  # fmt: skip
    began = time.process_time()
    kinds = {judge(raw).kind for raw in hostile}
    assert kinds <= set(InboundKind)
    assert time.process_time() - began < 20


def test_a_message_larger_than_what_is_read_is_read_up_to_there() -> None:
    raw = _mail("Yes.\n" + "x" * 12_000_000, "Subject: long")
    assert judge(raw).text.startswith("Yes.")
