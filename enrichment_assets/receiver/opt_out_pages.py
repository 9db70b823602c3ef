"""What a person sees who follows the link in a mail: small pages, no script, no cookie, nothing from outside."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from starlette.types import Message

from enrichment_assets.domain.mail.opt_out import ONE_CLICK

_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem;color:#1c1c1c;"
    "background:#fff}button{font:inherit;padding:.6rem 1.2rem}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (
        b"content-security-policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'".encode(),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"x-robots-tag", b"noindex"),
]

Page = tuple[Message, Message]


def asking(address: str) -> Page:
    """The page of the link: whom it takes off (`a***@acme.com`), and a button. Opening it changes nothing."""
    name, value = ONE_CLICK
    return _page(
        200,
        "Unsubscribe",
        f"<p>Whoever wrote to {escape(address)} will not write to this address again.</p>"
        f'<form method="post"><input type="hidden" name="{name}" value="{value}">'
        '<button type="submit">Unsubscribe</button></form>',
    )


def _said(status: int, title: str, text: str, *extra: tuple[bytes, bytes], early: bool = False) -> Page:
    return _page(status, title, f"<p>{escape(text)}</p>", *extra, early=early)


def _page(status: int, title: str, body: str, *extra: tuple[bytes, bytes], early: bool = False) -> Page:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    ).encode()
    headers = [*_HEADERS, (b"content-length", b"%d" % len(text)), *extra]
    if early:
        headers.append((b"connection", b"close"))
    start: Message = {"type": "http.response.start", "status": status, "headers": headers}
    return start, {"type": "http.response.body", "body": text, "more_body": early}


DONE = _said(200, "You are unsubscribed", "This sender does not write to your address again.")
UNKNOWN = _said(404, "This link does not work", "Nothing was changed. Please use the link as it stands in the mail.")
NOT_ASKED = _said(400, "Nothing was changed", "Please open the link in the mail, and press the button on its page.")
AWAY = _said(
    503, "Please try again", "That could not be kept just now. Please try again in a minute.", (b"retry-after", b"60")
)
NOT_ALLOWED = _said(
    405, "Nothing was changed", "Please open the link in the mail.", (b"allow", b"GET, HEAD, POST"), early=True
)
