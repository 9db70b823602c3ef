"""A page before it is HTML or Markdown: blocks of text, people and links."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the page's own."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Lines:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A link on a line of its own, or in a menu."""

    text: str
    address: str


@dataclass(frozen=True, slots=True)
class Links:
    """A menu, or a list of addresses."""

    links: tuple[Link, ...]
    is_menu: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values: `Holes`, `18`."""

    rows: tuple[tuple[str, str], ...]
    is_table: bool = True


@dataclass(frozen=True, slots=True)
class Card:
    """One of the people on a page; `email` and `phone` where they are written."""

    name: str
    title: str
    email: str = ""
    phone: str = ""
    profile: str = ""


@dataclass(frozen=True, slots=True)
class People:
    """People, in one of the layouts, with addresses in one of the writings (`firms.LAYOUTS`, `firms.MAIL_WRITINGS`)."""

    cards: tuple[Card, ...]
    layout: str
    mails: str


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address on a line of its own, with what stands before it."""

    label: str
    email: str
    mails: str = "mailto"


@dataclass(frozen=True, slots=True)
class Picture:
    """An image with nothing to read in it."""

    address: str


Block = Heading | Text | Lines | Links | Facts | People | Mailbox | Picture


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Attributes:
        title: Its title.
        blocks: What is on it, from top to bottom.
        language: The language that it says it is in.
        linked_data: JSON-LD in its head.
        is_shell: What is sent before scripts ran is an empty shell.
        is_walled: It shows a question for consent and nothing else.
    """

    title: str
    blocks: tuple[Block, ...] = ()
    language: str = "en"
    linked_data: tuple[dict[str, object], ...] = ()
    is_shell: bool = False
    is_walled: bool = False

    @property
    def links(self) -> list[str]:
        """Addresses that the page links to, once each."""
        found = [link.address for block in self.blocks if isinstance(block, Links) for link in block.links]
        return list(dict.fromkeys(found))
