"""Rows of a Google sheet that are found by a key, over real HTTP to the simulated Sheets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.google_conversation import TOKEN_URL
from enrichment_assets.domain.google_tokens import assertion, credentials_of
from enrichment_assets.domain.jsontext import json_bytes, parse_json
from enrichment_assets.domain.provider import Answer, RenderedRequest
from enrichment_assets.domain.sheet_rows import SheetFault, cell_of, columns_of
from enrichment_assets.domain.statuses import ErrorClass
from enrichment_assets.providers.sheets import SCOPE, Sheets
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.wire.conversations import converse
from enrichment_assets.wire.transport import build_client

HEADER = ["  enrichment   KEY ", "Name", "Phone ", "Note"]


class Book:
    """A spreadsheet at the simulator with one sheet, and whoever writes to it."""

    def __init__(self, sandbox: SandboxProcess, *rows: Sequence[Any], secret: str = "ya29.rep") -> None:
        self.base, self.secret = f"{sandbox.url}/sheets", secret
        self.http = httpx.Client(base_url=f"{self.base}/v4/spreadsheets", headers={"authorization": "Bearer ya29.rep"})
        made = self.http.post(
            f"{self.base}/v4/spreadsheets", json={"sheets": [{"properties": {"title": "Bob's leads"}}]}
        )
        self.id = made.json()["spreadsheetId"]
        if rows:
            self.put("A1", *rows)

    def put(self, where: str, *rows: Sequence[Any]) -> None:
        told = {"valueInputOption": "RAW", "data": [{"range": f"'Bob''s leads'!{where}", "values": list(rows)}]}
        self.http.post(f"/{self.id}/values:batchUpdate", json=told).raise_for_status()

    def change(self, name: str, **told: Any) -> None:
        self.http.post(f"/{self.id}:batchUpdate", json={"requests": [{name: told}]}).raise_for_status()

    def rows(self, where: str = "A2:Z") -> list[list[Any]]:
        asked = self.http.get(f"/{self.id}/values/'Bob''s leads'!{where}", params={"valueRenderOption": "FORMULA"})
        found: list[list[Any]] = asked.json().get("values", [])
        return found

    def call(self, *rows: dict[str, Any], sheet: str = "Bob's leads", key: str = "Enrichment key") -> Answer:
        provider, secrets = Sheets(self.base), {"credentials": self.secret}
        body = json_bytes({"sheet": sheet, "key_column": key, "rows": rows})
        rendered = RenderedRequest("POST", f"/v4/spreadsheets/{self.id}", content=body)

        async def held() -> Answer:
            request = provider.authorise(rendered, secrets, self.base)
            async with build_client() as client:
                return await converse(client, provider.conversation(request, secrets), 20.0)

        return asyncio.run(held())

    def fates(self, *rows: dict[str, Any]) -> list[Any]:
        answer = self.call(*rows)
        assert answer.status == 200, answer.body
        return [one.get("new", one.get("status")) for one in parse_json(answer.body)["results"]]


def row(key: str, is_new: bool = True, **cells: Any) -> dict[str, Any]:
    return {"key": key, "cells": cells, "is_new": is_new}


def test_a_row_is_added_once_and_found_again_by_its_key_wherever_it_went(sandbox: SandboxProcess) -> None:
    book = Book(sandbox, HEADER)
    new = row("k1", Name="=HYPERLINK(1)", Phone="+49 30 1"), row("k2", Name="@ann", Phone="-1"), row("k3", Name="Zoe")
    assert book.fates(*new) == [True, True, True]
    assert book.fates(*new) == [False, False, False]  # an answer that was lost: the same again changes nothing
    added = [["k1", "=HYPERLINK(1)", "+49 30 1"], ["k2", "@ann", "-1"], ["k3", "Zoe"]]
    assert book.rows() == added
    shown = book.http.get(f"/{book.id}/values/'Bob''s leads'!B2").json()["values"]
    assert shown == [["=HYPERLINK(1)"]]  # text, and no formula: a formula would show what it computes
    book.put("D2", ["a person's note"])
    book.change("sortRange", range={"sheetId": 0, "startRowIndex": 1}, sortSpecs=[{"dimensionIndex": 1}])
    book.change("insertDimension", range={"sheetId": 0, "dimension": "ROWS", "startIndex": 2, "endIndex": 3})
    book.change("insertDimension", range={"sheetId": 0, "dimension": "COLUMNS", "startIndex": 0, "endIndex": 1})
    book.change("setBasicFilter", filter={"range": {"sheetId": 0}})
    book.put("F9", ["a note far below"])
    assert book.fates(row("k1", is_new=False, Phone="0"), row("k4", Name="New")) == [False, True]
    assert book.rows("B2:F11") == [
        ["k1", "=HYPERLINK(1)", "0", "a person's note"], [], ["k2", "@ann", "-1"], ["k3", "Zoe"],
        [], [], [], ["", "", "", "", "a note far below"], ["k4", "New"],
    ]  # fmt: skip


def test_what_a_person_filled_in_stays_and_what_was_deleted_is_not_made_again(sandbox: SandboxProcess) -> None:
    book = Book(sandbox, HEADER, ["k1", "Ann", "rep's number"], ["k2", "Bob"], ["twice"], ["twice"])
    rules = {"if_empty": ["Phone"], "only_new": ["Note"]}
    cells = {"Name": None, "Phone": "1", "Note": "first words"}
    asked = [{**row(key, is_new=key == "k9", **cells), **rules} for key in ("k1", "k2", "gone", "twice", "k9")]
    fates = book.fates(*asked, row("long", Name="x" * 50_001))
    assert fates == [False, False, 410, 409, True, 422]
    assert book.rows() == [["k1", "", "rep's number"], ["k2", "", "1"], ["twice"], ["twice"],
                           ["k9", "", "1", "first words"]]  # fmt: skip
    told = {one["key"]: one.get("error") for one in parse_json(book.call(row("twice")).body)["results"]}
    assert told == {"twice": "the key stands in rows 4 and 5 of the sheet: delete all but one"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"sheet": "Leads"}, "the spreadsheet has no sheet 'Leads': there are \"Bob's leads\""),
        ({"key": "Our key"}, "has no column 'Our key': write it into the header row, which has enrichment   KEY, Name"),
        ({"row": row("k", Mobile="1", Fax="2")}, "has no column 'Mobile', 'Fax': write it"),
        ({"row": row("k", NAME="1")}, None),
    ],
)
def test_a_sheet_that_is_not_as_the_workflow_says_is_named_with_what_to_do(
    sandbox: SandboxProcess, asked: dict[str, Any], said: str | None
) -> None:
    book = Book(sandbox, HEADER)
    answer = book.call(asked.pop("row", row("k", Name="Ann")), **asked)
    verdict = Sheets(book.base).classify("rows", answer)
    assert (verdict.error, answer.status) == ((ErrorClass.AUTH, 424) if said else (None, 200))
    assert (said or "") in verdict.message


def test_a_long_key_column_is_read_in_pages_that_end_with_the_grid(sandbox: SandboxProcess) -> None:
    book = Book(sandbox, HEADER)
    book.change("insertDimension", range={"sheetId": 0, "dimension": "ROWS", "startIndex": 1, "endIndex": 44_501})
    book.put("A2", *([f"k{number}", "old"] for number in range(45_000)))
    sandbox.configure(recent_calls=100)
    assert book.fates(*(row(f"k{number}", Name="new") for number in (0, 19_999, 20_000, 44_999))) == [False] * 4
    assert [book.rows(f"B{number + 2}")[0][0] for number in (0, 1, 19_999, 20_000, 44_999)] == [
        "new", "old", "new", "new", "new"
    ]  # fmt: skip


def test_quotas_rights_and_grants_are_told_apart(sandbox: SandboxProcess) -> None:
    book = Book(sandbox, HEADER)
    provider = Sheets(book.base)
    verdicts = {}
    for secret in ("ya29.viewer", "ya29.stranger"):
        book.secret = secret
        verdicts[secret] = provider.classify("rows", book.call(row("k", Name="Ann")))
    user = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "revoked"}
    book.secret = json.dumps(user)
    verdicts["revoked"] = provider.classify("rows", book.call(row("k", Name="Ann")))
    book.secret = json.dumps({**user, "refresh_token": "good"})
    assert book.fates(row("k", Name="Ann")) == [True]
    sandbox.configure(providers={"sheets": {"quota": 0}})
    verdicts["quota"] = provider.classify("rows", book.call(row("k", Name="Ann")))
    sandbox.configure(providers={"sheets": None})
    assert {name: (one.error, one.retry_after) for name, one in verdicts.items()} == {
        "ya29.viewer": (ErrorClass.AUTH, None),
        "ya29.stranger": (ErrorClass.AUTH, None),
        "revoked": (ErrorClass.AUTH, None),
        "quota": (ErrorClass.RETRYABLE, 60.0),
    }
    assert "not shared" in verdicts["ya29.viewer"].message and "invalid_grant" in verdicts["revoked"].message


def test_a_service_accounts_claim_is_one_that_googles_own_library_accepts(sandbox: SandboxProcess) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    told = {
        "type": "service_account",
        "client_email": "rep@acme.iam.example",
        "private_key_id": "1",
        "private_key": pem,
    }
    signed = assertion(told, SCOPE, TOKEN_URL, datetime.now(UTC))
    claims = jwt.decode(signed, certs={"1": public}, audience=TOKEN_URL)
    assert (claims["iss"], claims["scope"], claims["exp"] - claims["iat"]) == ("rep@acme.iam.example", SCOPE, 3600)
    assert Book(sandbox, HEADER, secret=json.dumps(told)).fates(row("k", Name="Ann")) == [True]
    # As python-dotenv gives it from a value in double quotes: the key's line breaks are line breaks.
    assert credentials_of(json.dumps(told).replace("\\n", "\n")) == told
    assert credentials_of("ya29.token") is None
    for wrong in ("{", '{"type": "external_account"}', json.dumps({**told, "private_key": ""})):
        with pytest.raises(ConfigurationError, match="no JSON of a service account"):
            credentials_of(wrong)
    with pytest.raises(ConfigurationError, match="no RSA key in PEM"):
        assertion({**told, "private_key": pem[:400]}, SCOPE, TOKEN_URL, datetime.now(UTC))


def test_columns_are_found_by_their_header_whatever_spaces_and_case_it_has() -> None:
    assert columns_of(["", " First name", "LAST NAME​"], ["First Name", "last name"], "S") == {
        "first name": 1, "last name": 2
    }  # fmt: skip
    with pytest.raises(SheetFault, match="two columns 'Phone'"):
        columns_of(["Phone", "phone "], ["Phone"], "S")
    values: list[tuple[Any, Any]] = [
        (None, ""), ("  ", ""), ([], ""), (False, False), (0, 0), (1.5, 1.5), ("=1+1", "=1+1"), ("007", "007"),
        (["a", 2], "a, 2"), (date(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1, 9, tzinfo=UTC), "2026-03-01T09:00:00+00:00"),
    ]  # fmt: skip
    assert [cell_of(value) for value, _ in values] == [cell for _, cell in values]
