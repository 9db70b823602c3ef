"""What a column holds of a person. Every text, JSON and bytes column of HQ says it, so that erasing forgets none.

`Column("value", Text, info=person(Erased.NULL))` may name a person whom a client looks for: finding, export and
erasure (`services/people`) read these marks, and know no list of columns of their own. `info=no_person("why")` excuses
a column.
`tests/people/test_marked_columns.py` compares the migrated database with the marks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Column


class Erased(StrEnum):
    """What is left of a value when its person is erased.

    In a row that is about the person (its item's) the whole value goes. In every other row that names them their own
    values are blacked out, and the rest stays.
    """

    NULL = "null"
    """Nothing, in their own row."""
    BLANK = "blank"
    """An empty text or object, in their own row: the column is not null."""
    MENTIONS = "mentions"
    """All but their values, in their own row too: a word of ours, a reason, a message."""
    TAKEN_OUT = "taken out"
    """Nothing, in any row that names them: raw bytes go whole, their length stays."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a column holds of a person.

    Attributes:
        erased: What is left when they are erased; None: it is not touched.
        why: Why it is not touched.
    """

    erased: Erased | None
    why: str = ""


Info = dict[Any, Any]
"""What `Column.info` holds: the mark below `person`."""


def person(erased: Erased) -> Info:
    """The column may hold a value of a person."""
    return {"person": Mark(erased)}


def no_person(why: str) -> Info:
    """The column holds nothing of a person, for this reason."""
    return {"person": Mark(None, why)}


def kept(why: str) -> Info:
    """The column holds something by which a person is known again, and keeps it for this reason."""
    return {"person": Mark(None, f"kept: {why}")}


OUR_WORD = no_person("one of a few words of the platform's own")
SETTING = no_person("a name or a setting that whoever set up the platform chose, the same for all people")
STAFF = no_person("who works with the platform; about nobody whom it looks for")
TECHNICAL = no_person("a key, a checksum or a format that says nothing of what it belongs to")


def mark_of(column: Column[Any]) -> Mark | None:
    """The mark of a column, if it has one."""
    found = column.info.get("person")
    return found if isinstance(found, Mark) else None
