"""The message that a delivery is: of what its workflow renders, and of the mailbox whose turn it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.errors import ConfigurationError, MissingVariableError
from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.mail.addresses import mail_address
from enrichment_assets.domain.mail.gmail import SEND
from enrichment_assets.domain.mail.mailboxes import LOOPBACK, MailboxKind, SmtpSettings
from enrichment_assets.domain.mail.message import Draft, Message, Sender, Thread, Unsubscribe, build_message
from enrichment_assets.domain.mail.opt_out import OptOut, leads_here_only, opt_out_link
from enrichment_assets.domain.mail.refusals import MailRefusedError
from enrichment_assets.domain.mail.signing import DkimKey, signed
from enrichment_assets.domain.provider import RenderedRequest
from enrichment_assets.domain.suppression import Hasher
from enrichment_assets.providers.gmail import Gmail
from enrichment_assets.store.mail.mailboxes import Mailbox
from enrichment_assets.store.mail.turns import MailTurn
from enrichment_assets.wire.gmail_sending import GmailRequest
from enrichment_assets.wire.smtp import Login, MailRequest, Submission

PARTS = ("to", "subject", "text")
"""What the request of a mail says: whom it goes to, and the words. `name`, too: how the recipient is called."""


def composed(
    rendered: RenderedRequest,
    turn: MailTurn,
    key: str,
    receiver_url: str,
    hasher: Hasher | None,
    *,
    simulated: bool = False,
) -> MailRequest | GmailRequest:
    """The message of a mail's turn, as it is handed to its mailbox's server, or to Gmail.

    Args:
        rendered: The workflow's request; its body says `to`, `name`, `subject` and `text`.
        turn: Whose turn it is.
        key: Of the delivery.
        receiver_url: Where recipients reach the receiver.
        hasher: Of the pepper, which the link to unsubscribe is sealed with.
        simulated: The batch is for the simulator, whose people read no mail.

    Raises:
        MailRefusedError: No message can be made of it.
        ConfigurationError: The link to unsubscribe would lead nowhere.
        MissingVariableError: A secret of the mailbox is not set.
    """
    said = _said(rendered)
    if str(mail_address(said["to"])).lower() != str(mail_address(turn.recipient)).lower():
        raise MailRefusedError(
            "`to` is another address than the lead's `email`: whoever says no, answers or bounces is known by that one",
            code="mail.another_recipient",
        )
    secrets = _secrets(turn.mailbox.secrets)
    if turn.mailbox.kind is MailboxKind.GMAIL:
        link = _link(said["to"], turn.mailbox, key, receiver_url, hasher, here=simulated)
        message = _message(said, turn, key, link)
        address = f"{Gmail.home}{SEND}"
        return GmailRequest("POST", address, content=message.content, credentials=secrets["credentials"])
    settings = SmtpSettings.model_validate(turn.mailbox.settings)
    here = settings.host.lower() in LOOPBACK
    message = _message(said, turn, key, _link(said["to"], turn.mailbox, key, receiver_url, hasher, here=here))
    submission = Submission(
        url=settings.url,
        security=settings.security,
        mail_from=message.mail_from,
        rcpt_to=message.rcpt_to,
        content=_signed(message.content, settings, secrets),
        message_id=message.message_id,
        needs_smtputf8=message.needs_smtputf8,
        login=_login(settings, turn.mailbox, secrets),
        copy_to=settings.bcc,
    )
    return MailRequest("MAIL", settings.url, content=submission.content, submission=submission)


def _said(rendered: RenderedRequest) -> dict[str, str]:
    try:
        body = parse_json(rendered.content or b"", [])
    except ValueError:
        body = None
    if not isinstance(body, Mapping):
        raise MailRefusedError("the request of a mail is a body with to, subject and text", code="mail.no_parts")
    for name in PARTS:
        if not isinstance(body.get(name), str) or not body[name].strip():
            raise MailRefusedError(f"the request of the mail says no {name}", code="mail.part_missing")
    return {name: value for name, value in body.items() if isinstance(value, str)}


def _message(said: Mapping[str, str], turn: MailTurn, key: str, link: str) -> Message:
    box = turn.mailbox
    thread = Thread(turn.thread[-1], turn.thread) if turn.thread else None
    return build_message(
        Draft(said["subject"], said["text"]),
        Sender(
            box.name,
            mail_address(box.address),
            box.postal_address,
            box.opt_out,
            None if box.reply_to is None else mail_address(box.reply_to),
            box.html,
        ),
        mail_address(said["to"]),
        key=key,
        date=turn.now.astimezone(ZoneInfo(box.time_zone)),
        unsubscribe=Unsubscribe(link),
        recipient_name=said.get("name", ""),
        thread=thread,
    )


def _link(to: str, box: Mailbox, key: str, receiver_url: str, hasher: Hasher | None, *, here: bool) -> str:
    """The link to unsubscribe; `here`: the mail goes to nobody outside of this machine."""
    if hasher is None:
        raise ConfigurationError(
            "no link to unsubscribe can be made without the pepper of suppressions", code="mail.without_pepper"
        )
    if leads_here_only(receiver_url) and not here:
        raise ConfigurationError(
            f"recipients cannot reach {receiver_url} to unsubscribe: set ENRICH_RECEIVER_URL to where they can",
            code="mail.receiver_unreachable",
        )
    return opt_out_link(receiver_url, OptOut(box.client_id, normalise_email(to) or to, key), hasher)


def _secrets(names: Mapping[str, str]) -> dict[str, str]:
    """Purpose -> value of a mailbox's secrets."""
    found: dict[str, str] = {}
    for purpose, variable in names.items():
        value = os.environ.get(variable, "")
        if not value:
            raise MissingVariableError(
                f"the mailbox's secret {purpose!r}: the environment variable {variable} is not set", variable
            )
        found[purpose] = value
    return found


def _login(settings: SmtpSettings, box: Mailbox, secrets: Mapping[str, Any]) -> Login | None:
    if not {"password", "access_token"} & secrets.keys():
        return None
    return Login(settings.user or box.address, secrets.get("password"), secrets.get("access_token"))


# opens files of others: the PEM that the mailbox's settings name; what is none is refused, and none of it is shown
def _signed(content: bytes, settings: SmtpSettings, secrets: Mapping[str, str]) -> bytes:
    if settings.dkim is None:
        return content
    if settings.dkim.key_file is None:
        pem = secrets["dkim_key"].replace("\\n", "\n").encode()
    else:
        try:
            pem = Path(settings.dkim.key_file).read_bytes()
        except OSError as error:
            raise MailRefusedError(
                f"the DKIM key of {settings.dkim.domain} cannot be read ({type(error).__name__})", code="mail.dkim_file"
            ) from None
    return signed(content, DkimKey(settings.dkim.selector, settings.dkim.domain, pem))
