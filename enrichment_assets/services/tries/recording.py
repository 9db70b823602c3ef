"""Stored answers of a batch as saved cases: what the provider said then, and what was read out of it.

The answers are written as they came, with the personal data in them. The file is for this account alone, and one that
is there is never written over.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.statuses import Status
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.services.insight.target_files import checked_target
from enrichment_assets.services.operations.current_mapping import current_mapping
from enrichment_assets.services.tries.case_files import MOST_OF_AN_ANSWER, written_case
from enrichment_assets.store.batches.tries import row_numbers
from enrichment_assets.store.calls.retention import bodies_gone
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.states.replaying import StoredAnswer, stored_answers

USUAL_LIMIT = 20
_KEPT_HEADERS = frozenset({"content-type", "content-encoding"})
"""Of an answer: what its body is read by."""

_EDITED_BY_HAND = 256 * 1024
"""Bytes up to which a body is written as JSON; a larger one is text."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A file of cases that was written. `gone`: answers without a body, which retention took out."""

    file: str
    workflow: str
    batch: str
    cases: int
    gone: int


def record_cases(hq: Hq, batch_key: str, workflow: str, path: Path, limit: int = USUAL_LIMIT) -> Recorded:
    """Write the stored answers of a workflow of a batch to a new file of cases, at most `limit` of them.

    Raises:
        NotFoundError: No such batch or workflow.
        ConfigurationError: The file is there, the workflow is computed here, or no answer is stored.
    """
    target = checked_target(path)
    with registry(hq) as connection:
        current = current_mapping(connection, batch_key, workflow)
        cases = list(islice(_cases(connection, current.batch_id, workflow, current.workflow.mode), limit))
        gone = bodies_gone(connection, current.batch_id, workflow)
    if not cases:
        raise ConfigurationError(
            f"batch {batch_key} has no stored answer of {workflow} to record"
            + (f": retention took the bodies of {gone} out" if gone else ""),
            code="cases.nothing_stored",
        )
    _write(target, "".join(f"{written_case(case)}\n" for case in cases))
    return Recorded(str(target), workflow, batch_key, len(cases), gone)


def _cases(connection: Connection, batch_id: int, workflow: str, mode: Mode) -> Iterator[dict[str, Any]]:
    for chunk in stored_answers(connection, batch_id, workflow, size=50):
        rows = row_numbers(connection, [stored.item_id for stored in chunk])
        for stored in chunk:
            if max(len(stored.body or b""), len(stored.callback or b"")) <= MOST_OF_AN_ANSWER:
                yield _case(stored, rows.get(stored.item_id, 0), mode)


def _case(stored: StoredAnswer, row: int, mode: Mode) -> dict[str, Any]:
    ended = stored.outcome or stored.status.lower()
    return {
        "name": f"row {row}, item {stored.item_id}",
        "answer": _answer(stored, mode),
        "outcome": ended,
        "expect": dict(stored.fields or {}) if stored.status == Status.COMPLETED else {},
    }


def _answer(stored: StoredAnswer, mode: Mode) -> dict[str, Any]:
    if stored.callback is not None:
        said = {"content-type": stored.callback_type, "content-encoding": stored.callback_encoding}
        headers = {name: text for name, text in said.items() if text}
        answer: dict[str, Any] = {"how": "callback", "headers": headers, **_body(stored.callback)}
    else:
        headers = {name: text for name, text in stored.headers.items() if name in _KEPT_HEADERS}
        answer = {"status": stored.http_status or 200, "headers": headers, **_body(stored.body or b"")}
        if mode is Mode.ASYNC:
            answer["how"] = "response" if stored.external_id is None else "poll"
    if stored.inputs is not None:
        answer["asked"] = dict(stored.inputs)
    if stored.place is not None:
        place = stored.place
        answer["place"] = {"index": place.index, "count": place.count, "names": place.names and list(place.names)}
    return answer


def _body(body: bytes) -> Mapping[str, Any]:
    """The bytes, as JSON that a person can edit where nothing is lost by it, else as text, else in base 64."""
    try:
        value = orjson.loads(body) if len(body) <= _EDITED_BY_HAND else None
    except ValueError:
        value = None
    if isinstance(value, dict | list) and _packed(body) == json_bytes(value):
        return {"body": value}
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}


def _packed(body: bytes) -> bytes:
    """JSON without white space between its parts, nothing else changed."""
    packed, inside, escaped = bytearray(), False, False
    for byte in body:
        if inside:
            inside = escaped or byte != 0x22
            escaped = not escaped and byte == 0x5C
        elif byte in b" \t\r\n":
            continue
        elif byte == 0x22:
            inside = True
        packed.append(byte)
    return bytes(packed)


def _write(target: Path, text: str) -> None:
    try:
        number = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise ConfigurationError(
            f"{target} is there already: it is not written over", code="cases.file_exists"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be written ({error.strerror})", code="cases.not_written") from None
    # opens files of ours: a new file of cases that a person named, for this account only
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(text)
