"""What a person says of a file that is uploaded: its encoding, delimiter and sheet, and which column is which field."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.header_names import fold
from enrichment_assets.domain.headers import HeaderField
from enrichment_assets.domain.suggestions import instead
from enrichment_assets.services.uploads.csv_files.shape import DELIMITERS

_NAMED_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_PROBE = "First Name,Ada;|\t\"'\r\n09"


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """What is said and not guessed; None: it is guessed. `mapping`: column -> identity field, "" for none.

    Raises:
        ConfigurationError: No such encoding or field, or a delimiter that is none.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.encoding is not None:
            object.__setattr__(self, "encoding", _known_encoding(self.encoding))
        if self.delimiter is not None:
            object.__setattr__(self, "delimiter", _known_delimiter(self.delimiter))
        for column, name in self.mapping.items():
            if name and name not in IDENTITY_FIELDS:
                raise ConfigurationError(
                    f"{column!r} cannot be mapped to {name!r}: {instead(name, IDENTITY_FIELDS)}",
                    code="upload.field_unknown",
                )

    def kept(self) -> dict[str, Any]:
        """What is kept with the upload: only what was said. Equal options are equal here."""
        said = {"encoding": self.encoding, "delimiter": self.delimiter, "sheet": self.sheet, "map": dict(self.mapping)}
        return {name: value for name, value in said.items() if value}


def options_of(kept: Mapping[str, Any]) -> UploadOptions:
    """The options that `kept` came from."""
    return UploadOptions(kept.get("encoding"), kept.get("delimiter"), kept.get("sheet"), kept.get("map", {}))


def parse_mapping(pairs: Iterable[str]) -> dict[str, str]:
    """`["Job Title=title"]` -> `{"Job Title": "title"}`; a column's name may have `=` in it, a field has none.

    Raises:
        ConfigurationError: One has no `=`.
    """
    mapping = {}
    for pair in pairs:
        column, sign, name = pair.rpartition("=")
        if not sign or not column.strip():
            raise ConfigurationError(
                f"{pair!r} maps nothing: say COLUMN=field, like 'Job Title=title'", code="upload.mapping_invalid"
            )
        mapping[column.strip()] = name.strip()
    return mapping


def apply_mapping(
    mapping: Mapping[str, str], names: Sequence[str], keys: Sequence[str], found: Sequence[HeaderField | None]
) -> list[HeaderField | None]:
    """What the columns mean once a person has had their say: a field is read from the columns they named, in order.

    Raises:
        ConfigurationError: The file has no such column, or several.
    """
    said = {_column(column, names, keys): name for column, name in mapping.items()}
    fields = set(said.values())
    meanings = [None if meaning is None or meaning.field in fields else meaning for meaning in found]
    ranks: dict[str, int] = {}
    for position, name in said.items():
        meanings[position] = HeaderField(name, ranks.get(name, 0)) if name else None
        ranks[name] = ranks.get(name, 0) + 1
    return meanings


def _column(column: str, names: Sequence[str], keys: Sequence[str]) -> int:
    """The position of a column by its key or its header, written as in the file or nearly so."""
    folded = [fold(name) for name in names]
    for candidates, wanted in ((keys, column), (names, column), (folded, fold(column))):
        found = [n for n, name in enumerate(candidates) if name == wanted and wanted]
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            raise ConfigurationError(
                f"{column!r} is the name of {len(found)} columns: {[keys[n] for n in found]}",
                code="upload.column_ambiguous",
            )
    raise ConfigurationError(
        f"the file has no column {column!r}: {instead(column, keys)}", code="upload.column_not_found"
    )


def _known_encoding(name: str) -> str:
    """Python's name of an encoding of text that can hold a list."""
    try:
        codec = codecs.lookup(name.strip())
        fits = _PROBE.encode(codec.name).decode(codec.name) == _PROBE
        codecs.getincrementaldecoder(codec.name)
    except (LookupError, UnicodeError, ValueError, TypeError):
        fits = False
    if not fits or "escape" in codec.name or codec.name in ("idna", "punycode"):
        raise ConfigurationError(
            f"there is no encoding {name!r} of text: utf-8, cp1252, cp1250, gb18030, shift_jis ...",
            code="upload.encoding_unknown",
        )
    return {"utf-8-sig": "utf-8"}.get(codec.name, codec.name)


def _known_delimiter(text: str) -> str:
    delimiter = _NAMED_DELIMITERS.get(text.lower(), text)
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter.isalnum() or delimiter in '"\r\n\0':
        raise ConfigurationError(
            f"{text!r} is no delimiter: one of {' '.join(DELIMITERS.replace(chr(9), 'tab'))} ...",
            code="upload.delimiter_unknown",
        )
    return delimiter
