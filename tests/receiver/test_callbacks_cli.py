"""`enrich callbacks`: dead letters are seen, understood and replayed from the stored bytes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from call_fixture import CallFixture, inbox, insert_calls
from psycopg.types.json import Jsonb
from typer.testing import CliRunner, Result

from enrichment_assets.cli.callbacks import app
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.services.operations.callbacks import show_callback
from enrichment_assets.settings import Settings
from tests.harness.handles import hq_of

Hq = psycopg.Connection[dict[str, Any]]


def _enrich(settings: Settings, *arguments: str) -> Result:
    environment = {
        "ENRICH_HOME": str(settings.home),
        "HQ_DATABASE_URL": settings.hq_database_url,
        "WORKSPACE_DATABASE_URL": settings.workspace_database_url,
        "COLUMNS": "200",
    }
    return CliRunner().invoke(app, list(arguments), env=environment)


def _put(
    hq: Hq, inserted: CallFixture, body: bytes, status: str = "new", error: str | None = None, **headers: str
) -> int:
    row = hq.execute(
        """
        insert into callback_inbox (client_id, batch_id, call_id, content_type, headers, body, body_sha256, status,
                                    error)
        values (%(client)s, %(batch)s, %(call)s, 'application/json', %(headers)s, %(body)s, sha256(%(body)s),
                %(status)s, %(error)s)
        returning id
        """,
        {
            "client": inserted.client_id,
            "batch": inserted.batch_id,
            "call": inserted.call_ids[0],
            "headers": Jsonb({name.replace("_", "-"): value for name, value in headers.items()}),
            "body": body,
            "status": status,
            "error": error,
        },
    ).fetchone()
    hq.commit()
    assert row is not None
    return int(row["id"])


def test_list_shows_the_newest_first_and_filters(settings: Settings, hq: Hq) -> None:
    acme, globex = insert_calls(hq, "acme"), insert_calls(hq, "globex")
    one = _put(hq, acme, b"1")
    two = _put(hq, acme, b"2", "dead", "not JSON")
    three = _put(hq, globex, b"3", "dead", "no e-mail")

    def ids(*arguments: str) -> list[int]:
        return [row["id"] for row in json.loads(_enrich(settings, "list", "--json", *arguments).output)]

    assert ids() == [three, two, one]
    assert ids("--dead") == [three, two]
    assert ids("--client", "acme") == [two, one]
    assert ids("--batch", "acme-batch", "--dead") == [two]
    assert ids("--limit", "1") == [three]
    table = _enrich(settings, "list", "--dead").output
    for word in ("acme-batch", "globex", "enrich-person-clay", "not JSON"):
        assert word in table


def test_an_unknown_batch_client_or_callback_is_an_error_with_its_name(settings: Settings, hq: Hq) -> None:
    for arguments in (("list", "--batch", "nope"), ("list", "--client", "nope"), ("show", "77"), ("replay", "77")):
        error = _enrich(settings, *arguments).exception
        assert isinstance(error, NotFoundError)
        assert arguments[-1] in str(error)


def test_show_says_where_it_belongs_what_came_and_what_is_wrong(settings: Settings, hq: Hq, tmp_path: Path) -> None:
    inserted = insert_calls(hq)
    inbox_id = _put(hq, inserted, b'{"email": [oops}', "dead", "not JSON: line 1", user_agent="clay/1")
    saved = tmp_path / "body.bin"
    text = _enrich(settings, "show", str(inbox_id), "--save", str(saved)).output
    for word in (
        "acme-batch",
        "enrich-person-clay",
        f"{inserted.call_ids[0]}",
        "not JSON: line 1",
        "user-agent: clay/1",
    ):
        assert word in text
    assert text.endswith('body (text):\n{"email": [oops}\n')
    assert saved.read_bytes() == b'{"email": [oops}'
    shown = json.loads(_enrich(settings, "show", str(inbox_id), "--json").output)
    assert (shown["item_id"], shown["body_form"], shown["size"]) == (inserted.item_id, "text", 16)


@pytest.mark.parametrize(
    ("body", "form", "rendered"),
    [
        (b"\xff\xfe\x00\x01", "hex", "fffe 0001"),
        (b"a\x1b[2Jb\r\nc", "text", "a\\x1b[2Jb\nc"),
        ("x" * 9 + "\u00e9" + "y" * 10, "text", "x" * 9 + " ... and 11 more bytes"),
        (b"", "text", ""),
    ],
)
def test_a_hostile_or_binary_body_cannot_drive_the_terminal(
    settings: Settings, hq: Hq, body: bytes | str, form: str, rendered: str
) -> None:
    raw = body.encode() if isinstance(body, str) else body
    inbox_id = _put(hq, insert_calls(hq), raw)
    assert show_callback(hq_of(settings), inbox_id).rendered_body(10) == (form, rendered)


def test_a_compressed_body_is_shown_plain_and_a_broken_one_as_it_is(settings: Settings, hq: Hq) -> None:
    inserted = insert_calls(hq)
    good = _put(hq, inserted, gzip.compress(b'{"a": 1}'), content_encoding="gzip")
    bad = _put(hq, inserted, b"not gzip", content_encoding="gzip")
    assert show_callback(hq_of(settings), good).rendered_body() == ("text", '{"a": 1}')
    assert show_callback(hq_of(settings), bad).rendered_body() == ("text", "not gzip")


def test_control_characters_of_an_error_do_not_reach_the_terminal(settings: Settings, hq: Hq) -> None:
    _put(hq, insert_calls(hq), b"x", "dead", "bad \x1b[31m[bold]field[/bold]")
    text = _enrich(settings, "list").output
    assert "\x1b[31m" not in text
    assert "[bold]field[/bold]" in text


def test_replay_puts_one_dead_callback_back_in_line_with_its_bytes(settings: Settings, hq: Hq) -> None:
    inserted = insert_calls(hq)
    dead, other = _put(hq, inserted, b"1", "dead", "why"), _put(hq, inserted, b"2", "dead", "why")
    text = _enrich(settings, "replay", str(dead)).output
    assert "1 callback(s) put back" in text
    assert "enrich run acme-batch" in text
    rows = {row["id"]: (row["status"], row["error"], row["processed_at"], row["body"]) for row in inbox(hq)}
    assert rows == {dead: ("new", None, None, b"1"), other: ("dead", "why", None, b"2")}


def test_replay_of_a_batch_takes_its_dead_ones_only(settings: Settings, hq: Hq) -> None:
    acme, globex = insert_calls(hq, "acme"), insert_calls(hq, "globex")
    mine = [_put(hq, acme, b"1", "dead", "why"), _put(hq, acme, b"2", "dead", "why")]
    applied, theirs = _put(hq, acme, b"3", "applied"), _put(hq, globex, b"4", "dead", "why")
    report = json.loads(_enrich(settings, "replay", "--batch", "acme-batch", "--dead", "--json").output)
    assert report == {"inbox_ids": mine, "batches": {"acme-batch": 2}}
    statuses = {row["id"]: row["status"] for row in inbox(hq)}
    assert statuses == {mine[0]: "new", mine[1]: "new", applied: "applied", theirs: "dead"}


def test_only_dead_callbacks_are_replayed_and_something_has_to_be_named(settings: Settings, hq: Hq) -> None:
    applied = _put(hq, insert_calls(hq), b"1", "applied")
    refused = _enrich(settings, "replay", str(applied)).exception
    assert isinstance(refused, ConfigurationError)
    assert "is applied" in str(refused)
    assert isinstance(_enrich(settings, "replay").exception, ConfigurationError)
    assert _enrich(settings, "replay", "--batch", "acme-batch").exit_code == 2
    assert [row["status"] for row in inbox(hq)] == ["applied"]
