"""Behind a pooler each transaction may have another session, so no statement of ours may count on the one before.

Looked for in every text of the package: what sets, locks, listens, prepares or keeps for a session. What is excused
says why; an excuse that is used no more fails, too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import enrichment_assets

PACKAGE = Path(enrichment_assets.__file__).parent

_BEGINS = r"(\A|;)\s*"

FORBIDDEN = {
    "a setting of the session": _BEGINS + r"set\s+(?!local\b|transaction\b)(session\s+)?[a-z_.]+\s*(=|to\b)",
    "a setting of the session by function": r"set_config\s*\([^()]*(\([^()]*\)[^()]*)*,\s*false\s*\)",
    "a setting, of what is said elsewhere": r"set_config\s*\([^()]*,\s*%s\s*\)",
    "a reset of the session": _BEGINS + r"(reset|discard)\s+[a-z_]+",
    "a lock of the session": r"pg_(try_)?advisory_(lock|unlock)",
    "listening": _BEGINS + r"((un)?listen\s+[\"a-z_*]|notify\s+[a-z_]+\s*,)|pg_notify\s*\(",
    "a prepared statement by name": _BEGINS + r"(prepare\s+[a-z_]+\s*(as\b|\()|deallocate\s+[a-z_]+)",
    "a temporary table that outlives the transaction": r"create\s+(or\s+replace\s+)?temp(orary)?\s+(table|view)"
    r"(?!.*on\s+commit\s+drop)",
    "a cursor that outlives the transaction": r"with\s+hold\b",
    "the last value of a sequence": r"\b(lastval|currval)\s*\(",
    "a setting in the URL": r"options=|-c\s?search_path",
}

EXCUSED = {
    ("store/database.py", "a setting, of what is said elsewhere"): "of the session without a pooler, else local",
    ("installation/databases.py", "a lock of the session"): "on the embedded server, before which stands no pooler",
    ("installation/pooler.py", "a setting of the session by function"): "finds out whether a session is handed on",
    ("store/sources/waking.py", "listening"): "not behind a pooler; what is not heard is looked at in its time",
    (
        "services/insight/work_history.py",
        "a temporary table that outlives the transaction",
    ): "DuckDB's, in this process",
    ("warehouse/batch_session.py", "a setting of the session"): "DuckDB's, in this process",
    ("warehouse/chunks.py", "a temporary table that outlives the transaction"): "DuckDB's, in this process",
    ("warehouse/reading.py", "a setting of the session"): "DuckDB's, in this process",
    ("warehouse/session.py", "a setting of the session"): "DuckDB's, in this process",
}


def _texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of each string that is no docstring; `x` stands for what an f-string puts in."""
    documentation = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    inside = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)} - {
        node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
    }
    for node in ast.walk(tree):
        if node in documentation or node in inside or isinstance(node, ast.Expr):
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            parts = [str(p.value) if isinstance(p, ast.Constant) else "x" for p in node.values]
            yield node.lineno, "".join(parts)


def _depends(text: str) -> list[str]:
    flags = re.IGNORECASE | re.DOTALL
    return [what for what, pattern in FORBIDDEN.items() if re.search(pattern, text, flags)]


def test_no_statement_counts_on_the_session_of_the_one_before() -> None:
    found: dict[tuple[str, str], list[int]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        file = path.relative_to(PACKAGE).as_posix()
        if file.startswith("sandbox/"):
            continue
        for line, text in _texts(ast.parse(path.read_text())):
            for what in _depends(text):
                found.setdefault((file, what), []).append(line)
    assert {place: lines for place, lines in found.items() if place not in EXCUSED} == {}
    assert set(EXCUSED) - set(found) == set(), "excused, and there no more"


def test_dagsters_tables_are_reached_by_a_way_that_a_pooler_lets_through() -> None:
    """Their URL has `options`: `transaction_at` and `route_to` know what to do with them, `connect` does not."""
    calls = [
        (path.relative_to(PACKAGE).as_posix(), ast.unparse(node))
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("connect", "connect_async"))
    ]
    assert len(calls) > 10
    assert [call for call in calls if "dagster" in call[1]] == []


@pytest.mark.parametrize(
    "text",
    [
        "set statement_timeout = '5s'",
        "SET SESSION search_path TO hq",
        "set idle_in_transaction_session_timeout = 'x'",
        "select set_config('enable_seqscan', 'off', false)",
        "select set_config(%s, %s, %s)",
        "select set_config('statement_timeout', concat('5', 's'), false)",
        "discard all",
        "reset search_path",
        "select pg_advisory_lock(%s)",
        "select pg_try_advisory_lock(1)",
        "listen run_events",
        "notify run_events, 'x'",
        "select pg_notify('a', 'b')",
        "prepare find as select 1",
        "deallocate all",
        "create temporary table folded as select 1",
        "create temp table folded (x int) on commit preserve rows",
        "declare c cursor with hold for select 1",
        "select lastval()",
        "postgresql://h/d?options=-csearch_path%3Dhq",
    ],
)
def test_what_depends_on_a_session_is_seen(text: str) -> None:
    assert _depends(text)


@pytest.mark.parametrize(
    "text",
    [
        "set local statement_timeout = '5s'",
        "set transaction isolation level repeatable read read only",
        "select set_config('search_path', %s, true)",
        "select pg_advisory_xact_lock(1)",
        "update clients set name = 'x' where id = 1",
        "update callback_inbox i\nset status = 'new', error = null",
        "create temporary table folded on commit drop as select 1",
        "on conflict do update\n    set amount = excluded.amount",
    ],
)
def test_what_belongs_to_a_transaction_is_not(text: str) -> None:
    assert not _depends(text)
