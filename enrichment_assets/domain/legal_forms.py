"""Legal forms of companies (`data/legal_forms.csv`), as words of a folded name.

The forms are those of GLEIF's Entity Legal Forms code list (ISO 20275, edition of 2023-09-28, CC0) whose bearers are
companies, with what their laws and registries call them where that list has no abbreviation. `stands` says where a
form is one:

    end, start, both   at that end of a name, however it is written: `Acme GmbH`, `ООО Ромашка`
    part               at either end, without a blank: 株式会社トヨタ
    dotted             at the end with a full stop in it or a comma before it, for it is a word or a country else:
                       `Smith, PC` and `Wells Fargo Bank, N.A.`, not `Gaming PC`
    exact              the same, or in exactly this spelling: `Acme SpA`, not `Serenity Spa`
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class LegalForms:
    """The file, folded: `end`, `start` and `dotted` are words with blanks, `exact` as written, `part` a pattern."""

    end: frozenset[str]
    start: frozenset[str]
    dotted: frozenset[str]
    exact: frozenset[str]
    last_words: frozenset[str]
    first_words: frozenset[str]
    part: re.Pattern[str]


# opens files of ours: the package's own lists
def read_legal_forms(words_of: Callable[[str], list[str]], plain: Callable[[str], str]) -> LegalForms:
    """The forms as names are folded.

    Args:
        words_of: The words of a name, folded.
        plain: A name with its characters folded, before it is cut into words.
    """
    text = files("enrichment_assets.domain").joinpath("data/legal_forms.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines(), strict=True))
    folded: dict[str, set[str]] = {"end": set(), "start": set(), "dotted": set()}
    for row in rows:
        form = " ".join(words_of(row["form"]))
        for place in {"both": ("end", "start"), "exact": ("dotted",)}.get(row["stands"], (row["stands"],)):
            folded.setdefault(place, set()).add(form)
    parts = sorted((plain(row["form"]) for row in rows if row["stands"] == "part"), key=len, reverse=True)
    either = "|".join(re.escape(part) for part in parts)
    return LegalForms(
        end=frozenset(folded["end"]),
        start=frozenset(folded["start"]),
        dotted=frozenset(folded["dotted"]),
        exact=frozenset(row["form"] for row in rows if row["stands"] == "exact"),
        last_words=frozenset(form.split()[-1] for form in folded["end"] | folded["dotted"]),
        first_words=frozenset(form.split()[0] for form in folded["start"]),
        part=re.compile(rf"^\s*(?:{either})|(?:{either})\s*$"),
    )
