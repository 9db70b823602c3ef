"""What an uploaded row says of its addresses and numbers beside the cells: verdicts, kinds, do-not-call flags.

Apollo's contact export has `Email Status` beside `Email`, three addresses, phone columns by kind, and `Do Not Call`;
ZoomInfo, Cognism, HubSpot and verifiers' downloads have the like. The result has the shape of an answer's records
(`domain.contact_records`) and is kept as the item's `details`, so that one rule ranks them all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from enrichment_assets.domain.contact_records import MAX_TEXT, Record, confidence_of
from enrichment_assets.domain.contact_words import fold_word, may_call
from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.phones import normalise_phone
from enrichment_assets.domain.record_fields import EMAIL_RECORDS, PHONE_RECORDS

_STATUS = ("email_status", "email_verification_status", "email_verification", "email_validation_status", "zb_status")
_SUB_STATUS = ("zb_sub_status", "email_sub_status", "sub_status", "primary_email_catch_all_status")
_SURENESS = ("email_confidence", "email_score", "email_confidence_score")
_FURTHER_EMAILS = (
    ("secondary_email", "secondary_email_status"),
    ("tertiary_email", "tertiary_email_status"),
    ("personal_email", "personal_email_status"),
    ("email_2", "email_2_status"),
    ("email_3", "email_3_status"),
    ("other_email", None),
    ("alternate_email", None),
)
"""(column of an address, column of its verdict). Such an address is kept beside the lead's."""

_PHONE_KINDS = {
    "mobile_phone": "mobile", "mobile": "mobile", "mobile_number": "mobile", "mobile_phone_number": "mobile",
    "cell_phone": "mobile", "cell": "mobile", "work_direct_phone": "direct", "direct_phone": "direct",
    "work_direct": "direct", "direct_dial": "direct", "direct_phone_number": "direct", "work_phone": "direct",
    "business_phone": "direct", "home_phone": "home", "personal_phone": "home", "other_phone": "other",
    "corporate_phone": "hq", "hq_phone": "hq", "company_hq_phone": "hq", "office_phone": "hq",
}  # fmt: skip
"""Columns that say what kind of number they hold; the last ones are the company's own."""

_NOT_TO_BE_CALLED = re.compile(r"(?:^|_)(?:do_not_call|dnc|donotcall|do_not_phone|no_calls?)(?:_|$)")
_NOT_A_DIGIT = re.compile(r"\D")


class UploadedContacts:
    """The columns of one upload that say something of an address or number.

    `email_column`: the column whose address `Email Status` and the like are about.
    """

    def __init__(self, headers: Sequence[str], email_column: int | None) -> None:
        self._headers = headers
        self._email_column = email_column
        folded = [fold_word(header) for header in headers]
        place = {name: n for n, name in reversed(list(enumerate(folded)))}
        self._status = [place[name] for name in _STATUS if name in place]
        self._sub_status = [place[name] for name in _SUB_STATUS if name in place]
        self._sureness = [place[name] for name in _SURENESS if name in place]
        self._further = [(place[name], place.get(said or "")) for name, said in _FURTHER_EMAILS if name in place]
        self._phones = [(n, _PHONE_KINDS[name]) for n, name in enumerate(folded) if name in _PHONE_KINDS]
        self._flags = [n for n, name in enumerate(folded) if _NOT_TO_BE_CALLED.search(name)]

    @property
    def says_something(self) -> bool:
        """False for a file without any such column."""
        return bool(self._status or self._sureness or self._further or self._phones or self._flags)

    def details(
        self,
        row: Sequence[str | None],
        identity: Mapping[str, Any],
        sources: Mapping[str, int],
        further: Mapping[str, Sequence[tuple[str, int]]],
    ) -> dict[str, Any]:
        """`email_records`, `phone_records` and `do_not_call`, each only where the row says something.

        Args:
            row: The cells as uploaded.
            identity: The row's clean fields; its `email` and `phone` are what the first record of each is about.
            sources: By field the column that its value stands in.
            further: Further clean values of `email` and `phone`, each with its column.
        """
        emails = self._emails(row, identity, sources.get("email"))
        numbers = self._numbers(row, identity)
        self._add(emails, "address", identity.get("email"), further.get("email", ()))
        not_of_company = [(number, n) for number, n in further.get("phone", ()) if (n, "hq") not in self._phones]
        self._add(numbers, "number", identity.get("phone"), not_of_company)
        found = {
            name: records
            for name, records in ((EMAIL_RECORDS, emails), (PHONE_RECORDS, numbers))
            if len(records) > 1 or any(len(record) > 1 for record in records)
        }
        details: dict[str, Any] = {name: records for name, records in found.items() if records}
        flag = next((word for n in self._flags if not may_call(word := _cell(row, n))), None)
        return {**details, "do_not_call": flag} if flag is not None else details

    def _add(self, records: list[Record], name: str, first: Any, further: Sequence[tuple[str, int]]) -> None:
        """Add the further values that are not there yet, kept beside the first."""
        known = {record[name] for record in records} | {first}
        for value, column in further:
            if value not in known:
                known.add(value)
                records.append(_record(name, value, {"role": "candidate", "column": self._headers[column]}))

    def _emails(self, row: Sequence[str | None], identity: Mapping[str, Any], source: int | None) -> list[Record]:
        records = []
        if identity.get("email"):
            records.append(_record("address", identity["email"], self._said_of_email(row, source)))
        for column, said in self._further:
            address = normalise_email(_cell(row, column))
            if address is not None and address != identity.get("email"):
                status = None if said is None else _cell(row, said)
                about = {"status": status, "role": "candidate", "column": self._headers[column]}
                records.append(_record("address", address, about))
        return records

    def _said_of_email(self, row: Sequence[str | None], source: int | None) -> dict[str, Any]:
        """What the row says of the address that counts: a verdict is about the address of its own column."""
        own = dict(self._further).get(source) if source is not None else None
        if own is not None:
            return {"status": _cell(row, own), "column": self._headers[source or 0]}
        if source != self._email_column:
            return {}
        return {
            "status": self._first(row, self._status),
            "sub_status": self._first(row, self._sub_status),
            "confidence": confidence_of(self._first(row, self._sureness)),
        }

    def _numbers(self, row: Sequence[str | None], identity: Mapping[str, Any]) -> list[Record]:
        country = identity.get("country")
        known = normalise_phone(identity.get("phone"), country) or identity.get("phone")
        records = [_record("number", known, {})] if known else []
        for column, kind in self._phones:
            cell = _cell(row, column)
            number = normalise_phone(cell, country)
            if cell is None or number is None:
                continue
            if known and _same(known, number):
                records[0].setdefault("type", kind)
                records[0].setdefault("column", self._headers[column])
            elif kind != "hq":
                about = {"type": kind, "role": "candidate", "column": self._headers[column]}
                records.append(_record("number", number, about))
        return records

    @staticmethod
    def _first(row: Sequence[str | None], columns: Sequence[int]) -> str | None:
        return next((cell for n in columns if (cell := _cell(row, n)) is not None), None)


def _record(name: str, value: str, about: Mapping[str, Any]) -> Record:
    return {name: value, **{member: said for member, said in about.items() if said is not None}}


def _cell(row: Sequence[str | None], column: int) -> str | None:
    cell = row[column]
    return None if cell is None else cell.strip()[:MAX_TEXT] or None


def _same(known: str, number: str) -> bool:
    """Whether a number in its usual form is the one in the item's cell, however that is written."""
    digits = _NOT_A_DIGIT.sub("", known).lstrip("0")
    return len(digits) >= 7 and _NOT_A_DIGIT.sub("", number).endswith(digits)
