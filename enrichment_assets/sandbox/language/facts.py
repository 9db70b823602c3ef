"""Facts of a page by the field that asks for them: who it is, where, a course's holes and fees, what kind of site.

Holes 18        - **Holes**: 18        Holes        Acme Wealth, 41 Union Square, Boston, MA 02184, +1 617-555-0117
                                       18
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

from enrichment_assets.sandbox.language.judging import kind_of_site, own_site, page_about, segment

_LABELS: Mapping[str, Sequence[str]] = {
    "holes": ("number of holes", "holes", "löcher", "trous", "hoyos"),
    "par": ("par",),
    "yards": ("yards", "course length", "length", "länge", "longueur", "longitud"),
    "access": ("type", "who may play", "access", "art", "accès", "acceso"),
    "range": ("driving range", "practice range", "übungsplatz", "practice", "campo de prácticas"),
    "fee": ("green fee", "greens fee", "rates", "greenfee", "tarif", "tarifa"),
    "opened": ("opened", "built", "founded", "established", "eröffnet", "ouvert en", "inaugurado"),
    "architect": ("architect", "designer", "designed by", "architekt", "architecte", "arquitecto"),
}
"""What a fact is called, on pages of several languages."""

_ASKED: Sequence[tuple[str, str]] = (
    (r"(?:^|_)holes?(?:_|$)", "holes"),
    (r"^par$|_par$|^par_", "par"),
    (r"yard|length", "yards"),
    (r"range", "range"),
    (r"fee|rate|price", "fee"),
    (r"architect|designer|designed", "architect"),
    (r"opened|founded|established|year", "opened"),
    (r"access|public|private|course_type|^type$|membership", "access"),
)
"""What a field's name asks for. The first that fits counts."""

_FOOT = re.compile(
    r"^(?P<name>[^\n]{3,90}?), (?P<street>\d{1,5} [^,\n]+), (?P<city>[^,\n]+), (?P<state>[A-Z]{2}) (?P<zip>\d{5})"
    r"(?:, (?P<phone>[+()\d][\d ().-]{6,20}))?",
    re.MULTILINE,
)
_PLACE = re.compile(
    r"^(?P<street>\d{1,5} [^,\n]+), (?P<city>[^,\n]+), (?P<state>[A-Z]{2}) (?P<zip>\d{5})", re.MULTILINE
)
_HEADING = re.compile(r"^# (?P<name>[^\n]+)$", re.MULTILINE)
_OF_A_PAGE = re.compile(
    r"^(?:our|about|contact|services|meet|the|staff|team|who|unser|notre|nuestro|über|kontakt|equipo|équipe)\b|:|\?",
    re.IGNORECASE,
)
_PARTS: Sequence[tuple[str, str]] = (
    (r"street", "street"),
    (r"city|town", "city"),
    (r"^state$|state_code|_state$", "state"),
    (r"zip|postal", "zip"),
)

_URL = re.compile(r"https?://[^\s<>\"'()\[\]{}|\\^`]+[^\s<>\"'()\[\]{}|\\^`.,;:!?]")
_NUMBER_LINE = re.compile(
    r"^(?:phone|tel(?:ephone)?|telefon|téléphone|teléfono)\s*:\s*(?P<phone>[+()\d][\d ().-]{6,20})", re.M | re.I
)
_NAMES = ("course", "company_name", "company", "club", "name")
"""Inputs that say whom the pages are about."""


class Facts:
    """What the inputs of a prompt say, as far as they are pages."""

    def __init__(self, inputs: Mapping[str, str]) -> None:
        self._inputs = inputs
        self._text = "\n".join(text for text in inputs.values() if "\n" in text)

    @cached_property
    def labelled(self) -> dict[str, str]:
        """Fact -> what stands beside its label, or on the line below it; the first counts."""
        lines = [re.sub(r"\*\*|^[-|\s]+|[|\s]+$", "", line).strip() for line in self._text.splitlines()]
        lines = [line for line in lines if line]
        found: dict[str, str] = {}
        for number, line in enumerate(lines):
            for fact, labels in _LABELS.items():
                label = next(
                    (one for one in labels if re.match(rf"{re.escape(one)}(?::|\s*\||\s|$)", line, re.I)), None
                )
                if label is None or fact in found:
                    continue
                rest = line[len(label) :].strip(" :|")
                found[fact] = rest or (lines[number + 1] if number + 1 < len(lines) else "")
        return found if {"holes", "par"} & set(found) else {}

    @cached_property
    def place(self) -> re.Match[str] | None:
        """Where the page's company is: the foot of the page, or an address on a line of its own."""
        return _FOOT.search(self._text) or _PLACE.search(self._text)

    @cached_property
    def company(self) -> str | None:
        """What the page's company calls itself: at its foot, or as a heading that is no page's."""
        foot = _FOOT.search(self._text)
        if foot is not None:
            return foot["name"]
        names = [found["name"].strip() for found in _HEADING.finditer(self._text)]
        return next((name for name in names if not _OF_A_PAGE.search(name)), None)

    def text_for(self, field: str) -> str | None:
        """What a text field asks for, as it stands there."""
        field = field.casefold()
        if field in {"website", "site_url", "company_website", "course_website"}:
            return own_site(self._name, self._urls)
        if field in {"url", "listing_url"}:
            return page_about(self._inputs, self._urls)
        if field in {"phone", "phone_number"}:
            numbered = _NUMBER_LINE.search(self._text) or (self.place if self.place is not None else None)
            return (numbered["phone"] or "").strip() or None if numbered is not None else None
        if re.search(r"^(?:company|firm|business|organi[sz]ation|course|club|site)_?name$", field):
            return self.company
        if self.place is not None:
            for words, part in _PARTS:
                if re.search(words, field):
                    return self.place[part]
            if re.search(r"address|location", field) and "mail" not in field:
                place = self.place
                return f"{place['street']}, {place['city']}, {place['state']} {place['zip']}"
        return self._fact(field)

    def number_for(self, field: str) -> float | None:
        """The number that a field asks for: of a fee the weekday's, or the weekend's where the field says so."""
        said = self._fact(field)
        numbers = [float(one.replace(",", "")) for one in re.findall(r"\d[\d,]*(?:\.\d+)?", said or "")]
        if not numbers:
            return None
        return numbers[-1] if "weekend" in field.casefold() else numbers[0]

    def truth_of(self, field: str) -> bool | None:
        """Whether what a field asks for is so; None: nothing says."""
        said, plain = self._fact(field), field.casefold()
        if said is None:
            return None
        if "range" in plain:
            return not re.match(r"no\b|none|nein|keine?|non|aucun|no hay", said, re.IGNORECASE)
        if "public" in plain or "private" in plain:
            is_private = said.casefold().startswith(("private", "privat", "privé"))
            return is_private if "private" in plain else not is_private
        return None

    def option_for(self, field: str, options: Sequence[str]) -> str | None:
        """The option that says what stands there: `semi_private` for Semi-private."""
        access, fee = self._fact("access") or self._inputs.get("access", ""), self.number_for("fee")
        judged = segment(access, fee, options) or kind_of_site(self._text, options)
        if judged is not None:
            return judged
        said = self._fact(field)
        if said is None:
            return None

        def plain(text: str) -> str:
            return re.sub(r"[^a-z]", "", text.casefold())

        exact = [option for option in options if plain(option) and plain(said).startswith(plain(option))]
        inside = [option for option in options if plain(option) and plain(option) in plain(said)]
        return next(iter(sorted(exact, key=len, reverse=True) or inside), None)

    @cached_property
    def _urls(self) -> list[str]:
        return list(dict.fromkeys(_URL.findall("\n".join(self._inputs.values()))))

    @property
    def _name(self) -> str:
        return next((self._inputs[name] for name in _NAMES if self._inputs.get(name)), self.company or "")

    def speaks_of(self, field: str) -> bool:
        """Whether the pages can tell what a field asks for, be it something that the field can take or not."""
        is_choice = bool(self.labelled or self._inputs.get("course")) and field in {"website", "url", "phone"}
        return is_choice or self._fact(field) is not None

    def _fact(self, field: str) -> str | None:
        name = next((fact for words, fact in _ASKED if re.search(words, field.casefold())), None)
        return self.labelled.get(name) if name is not None else None
