"""Renders what Python knows of dates (`domain.date_words`) into the SQL project: two seeds and a macro file.

    python -m enrichment_assets.warehouse.date_files

writes them anew, after a change of the words or of Babel. A test holds that they are as they would be written now.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from functools import reduce
from pathlib import Path

from enrichment_assets.domain import date_words as words
from enrichment_assets.warehouse.project import PROJECT_DIR

_HEAD = """{#- Made by `python -m enrichment_assets.warehouse.date_files` from `domain/date_words.py`: do not edit. -#}
"""


def date_files() -> dict[Path, str]:
    """Path below the project's folder -> text, of every file that is made."""
    return {
        Path("seeds/date_words.csv"): _csv(
            ("word", "kind", "first_month", "last_month"),
            ((w.word, w.kind, w.first, w.last) for w in words.date_words()),
        ),
        Path("seeds/date_shapes.csv"): _csv(("shape", "roles"), words.SHAPES),
        Path("macros/date_text.sql"): _macros(),
    }


def _macros() -> str:
    lowered = "strip_accents(lower({{ text }}))"
    bodies = {
        "plain_date_text(text)": (_nested(lowered, words.PLAIN), "Small letters without accents, time and separators."),
        "bare_date_text(plain)": (_nested("{{ plain }}", words.BARE), "The same without words that only join parts."),
        "date_shape(bare)": (_nested("{{ bare }}", words.SHAPING), "Y, N and W for the parts of a date."),
        "date_parts(bare)": (f"regexp_extract_all({{{{ bare }}}}, {_quoted(words.PART)})", "The parts themselves."),
        "first_date_year()": (str(words.FIRST_YEAR), "The first year that counts."),
        "open_date_year()": (str(words.OPEN_YEAR), "From this year on an end is none."),
        "longest_date()": (str(words.LONGEST), "Letters that a date has at most."),
    }
    return _HEAD + "".join(
        f"\n{{#- {about} -#}}\n{{% macro {name} -%}}\n{body}\n{{%- endmacro %}}\n"
        for name, (body, about) in bodies.items()
    )


def _nested(text: str, rules: Iterable[tuple[str, str]]) -> str:
    """All replacements as one expression, the first one innermost; a rule a line."""
    return reduce(
        lambda inner, rule: f"regexp_replace({inner},\n    {_quoted(rule[0])}, {_quoted(rule[1])}, 'g')", rules, text
    )


def _quoted(text: str) -> str:
    """A SQL literal of a pattern, which means the same as in Python; a letter that one cannot see by its number."""
    seen = "".join(letter if letter.isprintable() else f"\\x{{{ord(letter):x}}}" for letter in text)
    return "'" + seen.replace("'", "''") + "'"


def _csv(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return target.getvalue()


def main() -> None:
    """Write the files."""
    for path, text in date_files().items():
        (PROJECT_DIR / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
