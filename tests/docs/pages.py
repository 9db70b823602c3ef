"""Reading the pages: their code blocks, code spans, links and headings, with line numbers.

An HTML comment on the line above a block speaks to the tests: `<!-- not run: REASON -->`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

REPOSITORY = Path(__file__).resolve().parents[2]

FOR_USERS = (
    "README.md",
    "docs/glossary.md",
    "docs/getting-started.md",
    "docs/uploads.md",
    "docs/sources.md",
    "docs/workflows.md",
    "docs/prompts.md",
    "docs/pages.md",
    "docs/shipped.md",
    "docs/trying.md",
    "docs/fan-out.md",
    "docs/families.md",
    "docs/review.md",
    "docs/send-gate.md",
    "docs/delivery.md",
    "docs/operations.md",
    "docs/privacy.md",
    "docs/tenants.md",
    "docs/alerts.md",
    "docs/console.md",
    "docs/assistants.md",
    "docs/access.md",
    "docs/callbacks.md",
    "docs/mail-check.md",
    "docs/mail-services.md",
    "docs/destinations.md",
    "docs/webhooks.md",
    "docs/mail.md",
    "docs/inbound.md",
    "docs/freshness.md",
    "docs/clickup.md",
    "docs/instantly.md",
    "docs/outreach.md",
    "docs/analytics.md",
    "docs/companies.md",
    "docs/golden.md",
    "docs/contacts.md",
    "docs/assets.md",
    "docs/databases.md",
    "docs/deployment.md",
    "docs/sandbox.md",
    "docs/systems.md",
    "docs/fs.md",
    "docs/golf.md",
    "docs/json.md",
    "docs/errors.md",
)
"""The user's pages, in the order in which they are read: each goes on with the home of the one before."""

FOR_DEVELOPERS = (
    "CONTRIBUTING.md",
    "docs/diagrams.md",
    "docs/tour.md",
    "docs/architecture.md",
    "docs/models.md",
    "docs/security.md",
    "docs/crashes.md",
    "docs/performance.md",
    "docs/performance-history.md",
    "docs/dependencies.md",
)
PAGES = (*FOR_USERS, *FOR_DEVELOPERS, "docs/README.md")

_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->", re.DOTALL)
_FILE = re.compile(r"# ([\w-]+\.(?:yaml|csv|sql|py))$")


@dataclass(frozen=True)
class Block:
    """One code block: its language as written after the fence, its text, and why it is not run, if it says so."""

    page: str
    line: int
    language: str
    text: str
    not_run: str | None

    @property
    def is_shell(self) -> bool:
        """Whether it holds commands of a shell."""
        return self.language in ("sh", "console")

    @property
    def is_typed(self) -> bool:
        """Whether a reader types it."""
        return self.is_shell or self.language == "python"

    @property
    def file_name(self) -> str | None:
        """The file that a reader saves it as: its first line is a comment with nothing but the name."""
        named = _FILE.match(self.text.partition("\n")[0])
        return named[1] if named else None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    """One page, parsed."""

    name: str

    @property
    def path(self) -> Path:
        """The file."""
        return REPOSITORY / self.name

    @cached_property
    def tokens(self) -> list[Token]:
        """The parser's flat list."""
        return MarkdownIt("commonmark").enable("table").parse(self.path.read_text(encoding="utf-8"))

    def blocks(self) -> Iterator[Block]:
        """All code blocks, in order."""
        reason = None
        for token in self.tokens:
            if token.type == "html_block":
                said = _NOT_RUN.search(token.content)
                reason = " ".join(said[1].split()) if said else None
                continue
            if token.type in ("fence", "code_block"):
                line = token.map[0] + 1 if token.map else 0
                yield Block(self.name, line, token.info.strip(), token.content, reason)
            reason = None

    def code_spans(self) -> Iterator[str]:
        """Text between backticks, outside blocks."""
        for inline in self._inline():
            yield from (child.content for child in inline if child.type == "code_inline")

    def links(self) -> Iterator[str]:
        """Where links and images lead."""
        for inline in self._inline():
            yield from (str(child.attrs[name]) for child in inline for name in ("href", "src") if name in child.attrs)

    def anchors(self) -> set[str]:
        """The names that GitHub gives the headings."""
        heads = [after for token, after in pairwise(self.tokens) if token.type == "heading_open"]
        words = ([c.content for c in head.children or [] if c.type in ("text", "code_inline")] for head in heads)
        return {_slug("".join(texts)) for texts in words}

    def _inline(self) -> Iterator[list[Token]]:
        yield from (token.children or [] for token in self.tokens if token.type == "inline")


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
