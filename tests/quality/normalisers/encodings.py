"""Lists in the languages and encodings of the world: whether what was written is what is read."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from enrichment_assets.services.uploads.csv_files.encodings import EncodingScan
from tests.quality.cases import DATA

_BROKEN = ", 1 broken"


def answer(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """`written`, or the encoding that the list was wrongly read in; `doubtful` where the guess says so itself."""
    encoding = given["encoding"].removesuffix(_BROKEN)
    text = made_up_list(given["language"], int(given["rows"]), int(given["seed"]))
    content = text.encode(encoding)
    if given["encoding"].endswith(_BROKEN):
        at = next(n for n, byte in enumerate(content) if byte > 0x7F)
        content = content[:at] + content[at + 1 :]
        text = content.decode(encoding, "replace")
    scan = EncodingScan()
    for start in range(0, len(content), 1 << 20):
        scan.feed(content[start : start + (1 << 20)])
    guess = scan.guess()
    read = content.removeprefix(b"\xff\xfe").decode(guess.encoding, "replace")
    return {"read_as": "written" if read == text else guess.encoding}


def made_up_list(language: str, rows: int, seed: int) -> str:
    """A CSV without header of so many people of that language, the same for the same seed."""
    chance = random.Random(f"{language} {rows} {seed}")
    words = _words()[language]

    def person(number: int) -> str:
        company = chance.choice(words["companies"]).format(chance.choice(words["family names"]))
        name = [chance.choice(words["first names"]), chance.choice(words["family names"])]
        work = [chance.choice(words["titles"]), company, f"p{number}@example.com", chance.choice(words["towns"])]
        return ",".join([*name, *work])

    return "".join(f"{person(number)}\r\n" for number in range(rows))


@cache
def _words() -> dict[str, dict[str, list[str]]]:
    loaded: dict[str, dict[str, list[str]]] = yaml.safe_load((DATA / "encodings" / "words.yaml").read_text("utf-8"))
    return loaded
