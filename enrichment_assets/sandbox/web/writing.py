"""Pages as HTML, Markdown and plain text, with addresses in the writings that sites use against robots."""

from __future__ import annotations

import re
from html import escape

import orjson

from enrichment_assets.sandbox.web.page import (
    Block,
    Card,
    Facts,
    Heading,
    Lines,
    Links,
    Mailbox,
    Page,
    People,
    Picture,
    Text,
)

_SHELL = '<div id="root"></div><noscript>You need to enable JavaScript to run this app.</noscript>'
_WALL = (
    '<div class="cookie-consent-wall"><h2>We value your privacy</h2><p>We and our partners use cookies to process '
    "personal data. You can accept or reject all.</p><button>Accept all</button><button>Reject all</button></div>"
)
_SPELLED = {
    "at-dot": (" [at] ", " [dot] "),
    "at-round": (" (at) ", " (dot) "),
    "at-only": ("[at]", "."),
}
_UNWRITTEN = frozenset(["json-ld", "none", "mailto-name", "mailto-subject"])


def html_of(page: Page, *, has_run_scripts: bool) -> str:
    """The page as its server sends it, or as a browser shows it once its scripts have run."""
    data = [_element("script", orjson.dumps(one).decode(), type="application/ld+json") for one in page.linked_data]
    script = '<script src="/assets/app.js" defer></script>' if page.is_shell else ""
    head = f'<meta charset="utf-8"><title>{escape(page.title)}</title>{"".join(data)}{script}'
    if page.is_walled:
        body = _WALL
    elif page.is_shell and not has_run_scripts:
        body = _SHELL
    else:
        body = "".join(_html(block) for block in page.blocks)
    return f'<!DOCTYPE html><html lang="{page.language}"><head>{head}</head><body>{body}</body></html>'


def markdown_of(page: Page) -> str:
    """The page as a reader for models makes Markdown of it, its scripts run."""
    if page.is_walled:
        return "## We value your privacy\n\nWe and our partners use cookies. You can accept or reject all.\n"
    return "\n\n".join(part for part in (_markdown(block) for block in page.blocks) if part) + "\n"


def plain_of(page: Page) -> str:
    """The page as plain text."""
    return re.sub(r"^#+ |\*\*|^- |\((?:mailto|https?):[^)]*\)|[\[\]]", "", markdown_of(page), flags=re.MULTILINE)


def written_address(email: str, mails: str) -> str:
    """An address as a page writes it for people; empty where it does not."""
    if mails in _SPELLED:
        local, _, host = email.partition("@")
        at, dot = _SPELLED[mails]
        return f"{local}{at}{host.replace('.', dot)}"
    return "" if mails in _UNWRITTEN else email.upper() if mails == "upper" else email


def _element(tag: str, *inner: str, **attributes: str) -> str:
    """An element around markup; `class_` is the attribute `class`."""
    said = "".join(f' {name.rstrip("_")}="{escape(value)}"' for name, value in attributes.items())
    return f"<{tag}{said}>{''.join(inner)}</{tag}>"


def _html(block: Block) -> str:
    match block:
        case Heading(text, level):
            return _element(f"h{level}", escape(text))
        case Text(text):
            return _element("p", escape(text))
        case Lines(items):
            return _element("ul", *(_element("li", escape(item)) for item in items))
        case Links(links, is_menu):
            shown = [_element("a", escape(link.text), href=link.address) for link in links]
            return _element("nav", " ".join(shown)) if is_menu else _element("ul", *(_element("li", a) for a in shown))
        case Facts(rows, is_table):
            outer, name, value, row = ("table", "th", "td", "tr") if is_table else ("dl", "dt", "dd", "")
            pairs = [_element(name, escape(a)) + _element(value, escape(b)) for a, b in rows]
            return _element(outer, *(_element(row, pair) if row else pair for pair in pairs))
        case People(cards, layout, mails):
            return _PEOPLE[layout]([_card_html(card, mails) for card in cards])
        case Mailbox(label, email, mails):
            return _element("p", escape(label), " ", _mail_html(email, mails, ""))
        case Picture(address):
            return f'<img src="{escape(address)}" alt="">'


def _markdown(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {text}"
        case Text(text):
            return text
        case Lines(items):
            return "\n".join(f"- {item}" for item in items)
        case Links(links, is_menu):
            shown = [f"[{link.text}]({link.address})" for link in links]
            return " ".join(shown) if is_menu else "\n".join(f"- {one}" for one in shown)
        case Facts(rows):
            return "\n".join(f"- **{name}**: {value}" for name, value in rows)
        case People(cards, layout, mails):
            return "\n".join(_card_markdown(card, layout, mails) for card in cards)
        case Mailbox(label, email, mails):
            return f"{label} {_mail_markdown(email, mails, '')}".strip()
        case Picture(address):
            return f"![]({address})"


_Parts = tuple[str, str, str]
"""Name, title, and how to reach somebody, as markup."""


def _card_html(card: Card, mails: str) -> _Parts:
    parts = [_mail_html(card.email, mails, card.name)] if card.email else []
    parts += [_element("a", escape(card.phone), href=f"tel:{card.phone}")] if card.phone else []
    parts += [_element("a", "LinkedIn", href=card.profile)] if card.profile else []
    return escape(card.name), escape(card.title), " ".join(parts)


def _as_list(people: list[_Parts]) -> str:
    return _element("ul", *(_element("li", f"<b>{n}</b>, {t} {m}", class_="member") for n, t, m in people))


def _as_cards(people: list[_Parts]) -> str:
    return "".join(
        _element("div", _element("h3", n), _element("p", t, class_="role"), _element("p", m), class_="card")
        for n, t, m in people
    )


def _as_table(people: list[_Parts]) -> str:
    head = _element("tr", *(_element("th", name) for name in ("Name", "Position", "Contact")))
    return _element("table", head, *(_element("tr", *(_element("td", cell) for cell in one)) for one in people))


def _as_lines(people: list[_Parts]) -> str:
    return "".join(_element("p", f"<strong>{n}</strong> | {t}<br>{m}") for n, t, m in people)


def _as_sentences(people: list[_Parts]) -> str:
    return "".join(_element("p", f"{n} is our {t}. {f'Write to {m}' if m else ''}") for n, t, m in people)


def _as_definitions(people: list[_Parts]) -> str:
    rows = (_element("dt", n) + _element("dd", t) + (_element("dd", m) if m else "") for n, t, m in people)
    return _element("dl", *rows)


def _as_title_above(people: list[_Parts]) -> str:
    return "".join(_element("section", _element("p", t), _element("h4", n), _element("p", m)) for n, t, m in people)


def _as_capitals(people: list[_Parts]) -> str:
    return "".join(
        _element("div", _element("h3", n.upper()), _element("div", t), _element("div", m)) for n, t, m in people
    )


def _as_letters_behind(people: list[_Parts]) -> str:
    letters = ("CFP&reg;", "CFA", "MBA", "PGA")
    named = ((f"{n}, {letters[number % len(letters)]}", t, m) for number, (n, t, m) in enumerate(people))
    return _element("ul", *(_element("li", _element("strong", n), "<br>", t, "<br>", m) for n, t, m in named))


def _as_colon(people: list[_Parts]) -> str:
    return "".join(_element("p", f"{t}: <b>{n}</b>", f"<br>{m}" if m else "") for n, t, m in people)


_PEOPLE = {
    "list": _as_list,
    "cards": _as_cards,
    "table": _as_table,
    "lines": _as_lines,
    "sentences": _as_sentences,
    "definitions": _as_definitions,
    "title-above": _as_title_above,
    "capitals": _as_capitals,
    "letters-behind": _as_letters_behind,
    "colon": _as_colon,
}


_MARKDOWN = {
    "definitions": "{name}\n: {title}\n: {reach}\n",
    "title-above": "{title}\n\n#### {name}\n\n{reach}\n",
    "capitals": "### {upper}\n\n{title}\n\n{reach}\n",
    "letters-behind": "- **{name}, CFP®**  \n  {title}  \n  {reach}",
    "colon": "{title}: **{name}**  \n{reach}\n",
}


def _card_markdown(card: Card, layout: str, mails: str) -> str:
    parts = [_mail_markdown(card.email, mails, card.name) if card.email else "", card.phone]
    parts += [f"[LinkedIn]({card.profile})"] if card.profile else []
    reach = " ".join(part for part in parts if part)
    if layout == "table":
        return f"| {card.name} | {card.title} | {reach} |"
    if layout == "cards":
        return f"### {card.name}\n\n{card.title}\n\n{reach}\n"
    if layout in _MARKDOWN:
        return _MARKDOWN[layout].format(name=card.name, upper=card.name.upper(), title=card.title, reach=reach)
    if layout == "sentences":
        return f"{card.name} is our {card.title}. {f'Write to {reach}' if reach else ''}\n"
    return f"- **{card.name}**, {card.title} {reach}".rstrip()


def _mail_html(email: str, mails: str, name: str) -> str:
    if mails == "mailto-name":
        return _element("a", f"E-mail {escape(name.partition(' ')[0] or 'us')}", href=f"mailto:{email}")
    if mails == "mailto-subject":
        return _element("a", "E-Mail", href=f"mailto:{email}?subject=Website%20inquiry")
    if mails == "split":
        local, _, host = email.partition("@")
        return f"<span>{local}</span><span>@</span><span>{host}</span>"
    if mails == "cloudflare":
        hidden = {"class_": "__cf_email__", "data-cfemail": guarded(email)}
        return _element("a", "[email&#160;protected]", href="/cdn-cgi/l/email-protection", **hidden)
    if mails == "entities":
        coded = "".join(f"&#{ord(sign)};" for sign in f"mailto:{email}")
        return f'<a href="{coded}">{email.replace("@", "&#64;")}</a>'
    shown = escape(written_address(email, mails))
    return _element("a", shown, href=f"mailto:{email}") if mails == "mailto" else shown


def _mail_markdown(email: str, mails: str, name: str) -> str:
    """As readers make it of a page that was shown: scripts have put hidden addresses together."""
    if mails in {"json-ld", "none", "upper"} or mails in _SPELLED:
        return written_address(email, mails)
    if mails == "mailto-subject":
        return f"[E-Mail](mailto:{email}?subject=Website%20inquiry)"
    label = f"E-mail {name.partition(' ')[0] or 'us'}" if mails == "mailto-name" else email
    return email if mails in {"plain", "split"} else f"[{label}](mailto:{email})"


def guarded(email: str, key: int = 0x5A) -> str:
    """An address as Cloudflare hides it: hex, each byte xor the first."""
    return bytes([key, *(byte ^ key for byte in email.encode())]).hex()
