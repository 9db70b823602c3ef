"""What a prompt shows a model: its inputs, and the spans in them that an answer can quote.

An input stands between fences (`domain/prompts/fencing.py`); a prompt without fences is one input. Only what really
stands there is found: an answer made of these spans is grounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from enrichment_assets.domain.prompts.fencing import facts_in

_FENCED = re.compile(
    r"^<<<DATA (?P<name>\S+) (?P<word>[0-9a-f]{16,})[^\n]*>>>\n(?P<text>.*?)\n<<<END (?P=name) (?P=word)>>>$",
    re.MULTILINE | re.DOTALL,
)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}")
_URL = re.compile(r"https?://[^\s<>\"'()\[\]{}|\\^`]+[^\s<>\"'()\[\]{}|\\^`.,;:!?]")
_HOST = re.compile(r"\b(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}\b")
_PHONE = re.compile(r"(?<![\w.])\+?\(?\d[\d ()./-]{6,20}\d(?![\w])")
_NUMBER = re.compile(r"(?<![\w.,-])\d{1,3}(?:,\d{3})+(?![\d,])|(?<![\w.,-])\d{1,12}(?:\.\d+)?(?![\w]|[.,]\d)")
_NAME = re.compile(r"\b[A-Z][a-z]+(?:[ -](?:[A-Z][a-z]+|[A-Z]{2,})){1,3}\b")
_SENTENCE = re.compile(r"[^\s.!?][^.!?\n]{10,400}(?:[.!?]|(?=\n|$))")
_NUMBERED = re.compile(r"^(?P<number>\d{1,6})\. (?P<fact>\S[^\n]*)$", re.MULTILINE)
_LABELLED = re.compile(
    r"^[ \t]*(?:\d+\.[ \t]*)?(?P<label>[A-Za-z][\w ]{0,40}):[ \t]+(?P<value>\S[^\n]*)$", re.MULTILINE
)

MOST_SPANS = 500
"""Spans of one kind that are looked at: a page of ten megabytes has no more to say."""

_MOST_TEXT = 400_000


@dataclass(frozen=True)
class Material:
    """The inputs of one prompt by name. Spans are in the order in which they stand, each once."""

    inputs: Mapping[str, str]

    @cached_property
    def text(self) -> str:
        """All inputs, one below the other."""
        return "\n\n".join(self.inputs.values())[:_MOST_TEXT]

    @cached_property
    def emails(self) -> tuple[str, ...]:
        """E-mail addresses."""
        return self._spans(_EMAIL)

    @cached_property
    def urls(self) -> tuple[str, ...]:
        """Addresses of pages."""
        return self._spans(_URL)

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """Domains, those of addresses among them."""
        return self._spans(_HOST)

    @cached_property
    def phones(self) -> tuple[str, ...]:
        """Phone numbers, as they are written."""
        return tuple(span for span in self._spans(_PHONE) if 7 <= sum(map(str.isdigit, span)) <= 15)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Two to four words with capitals: people, companies, places."""
        return self._spans(_NAME)

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """Numbers, as they are written (`1,200`)."""
        return self._spans(_NUMBER)

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Sentences of more than a few words."""
        return tuple(span for span in self._spans(_SENTENCE) if " " in span)

    @cached_property
    def facts(self) -> tuple[int, ...]:
        """Numbers of the numbered lines: of the inputs that are called facts, where there are any."""
        return tuple(sorted({number for text in self._listed for number in facts_in(text)}))

    @cached_property
    def fact_lines(self) -> Mapping[int, str]:
        """Number -> what stands behind it."""
        lines = {int(found["number"]): found["fact"] for text in self._listed for found in _some(_NUMBERED, text)}
        return {number: line for number, line in lines.items() if number in self.facts}

    @cached_property
    def _listed(self) -> tuple[str, ...]:
        called_facts = tuple(text for name, text in self.inputs.items() if "fact" in name.casefold())
        return called_facts or tuple(self.inputs.values())

    @cached_property
    def labelled(self) -> Mapping[str, str]:
        """Field -> value, of short inputs by their names and of lines such as `city: Bremen`; the first one counts."""
        found = {_label(name): text for name, text in self.inputs.items() if text and len(text) <= 200}
        for match in _some(_LABELLED, self.text):
            found.setdefault(_label(match["label"]), match["value"].strip())
        return found

    def _spans(self, pattern: re.Pattern[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(match.group().strip() for match in _some(pattern, self.text)))


def material(prompt: str) -> Material:
    """The inputs in a prompt."""
    inputs = {match["name"]: match["text"] for match in _FENCED.finditer(prompt)}
    return Material(inputs or {"": prompt})


def _some(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    for number, match in enumerate(pattern.finditer(text)):
        if number == MOST_SPANS:
            return
        yield match


def _label(name: str) -> str:
    return "_".join(name.casefold().split())
