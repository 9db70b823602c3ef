"""`docs/errors.md`, written from the code: `python -m tests.docs.errors_page` writes it again.

A site is a call of an error's class; what it says is its first argument, with `…` for what differs from case to case.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import get_args

import enrichment_assets
from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.store.catalog.archiving import Kind
from tests.docs.pages import REPOSITORY

PAGE = REPOSITORY / "docs" / "errors.md"
PACKAGE = Path(enrichment_assets.__file__).parent

HEAD = """\
# Errors

Whatever is refused or fails says so with a `code`. The code is `noun.what`, and stays; the sentence may change, so
branch on the code: with `--json` a command writes it to standard error
([operations](operations.md#errors-for-programs)). In the sentences, `…` stands for what differs from case to case.

This page is written from the code and compared with it.

| code | what happened |
| --- | --- |
"""

SAID_ELSEWHERE = {
    "pull.broken_off": "what was asked: what the service refuses, that no answer came, or that its pages lead round",
    "pull.client_missing": "say which client: several are connected; or none is",
    "delivery.value_unfit": "what a field there takes, that it is not there, or that nobody may write it",
    "clickup.refused": "what was asked of ClickUp, and its code: what it refuses, or that no answer came",
    "pull.gone": "what was asked: it is not there any more",
    "pull.too_much": "what was asked: about a single day it is more than is answered, or than is kept, at a time",
    "review.answer_invalid": "the answer to a question is not as its schema asks",
    "source.not_ready": "what is wrong with the table, its columns, values or rights, or with its pipeline",
    "source.table_unusable": "what the table lacks since it became a source",
    "suppression.not_an_identity": "what is to be suppressed is no e-mail address, number, profile or domain",
    "cases.file_refused": "a file of cases, or one that a case names, is no plain file or too large",
    "cases.invalid": "lines of a file of cases are none: each with its cause",
    "workflow.invalid": "workflow …: what is wrong with it, field by field",
    "upload.not_a_table": "it is a …, not a table (a PDF, a picture, an old Excel file, a web page ...)",
    "upload.not_a_workbook": "it is a zip archive, a binary Excel workbook or an OpenDocument file: …",
    "client_config.value_invalid": "client …, workflow …: a value is none that its place can have",
    "file.fields_invalid": "the file's fields are not as they have to be: each, with its line",
    "file.yaml_refused": "the file holds YAML that is not taken (an anchor, a tag, a key twice): with its line",
    "model.not_found": "there is no model of that name",
    "report.not_found": "there is no report of that name",
    "field.not_found": "the batch's leads have no such field: no upload and no workflow gives it",
    "workflow.field_path_invalid": "a field's path in the workflow is no expression",
    "workflow.template_invalid": "workflow …: a template of its request cannot be rendered: where, and why",
    "answer.cut_off": "the model's answer was cut off: by its length, by a filter, and what helps",
    "answer.not_as_asked": "the model's answer is not as asked: it holds no JSON, or none that fits the schema",
    "answer.text_unreadable": "the model's answer has more characters than are read",
    "answer.text_without_json": "the answer is not as asked: its text holds no JSON, a part of one, or several",
    "answer.unlike_schema": "the answer is not as asked: the place that does not fit the schema, and why",
    "answer.unknown_fact": "the answer is not as asked: it names a fact by a number that its input does not have",
    "client_profile.invalid": "a client's profile is not as it has to be: each member, and what belongs there",
    "prompt.schema": "a prompt's `answer` is no JSON Schema: where, and why",
    "webhook.pepper_missing": "people are suppressed, and this process has not the pepper of their hashes",
    "unexpected": "an error that nobody foresaw, by its class and place",
}
"""Codes whose sentence is put together elsewhere."""

GENERIC = {"refused", "not_found", "configuration.invalid", "upload.refused", "infrastructure", "provider.contract"}
"""Codes of whole classes: no site is content with one."""


@dataclass(frozen=True)
class Site:
    """One place that makes an error. `code` is None where it has only its class's, and that is generic."""

    place: str
    kind: str
    code: str | None
    sentence: str


@cache
def error_classes() -> dict[str, str]:
    """Every class of errors with its code: its own, or the one that it has from its base."""
    classes = {
        node.name: node
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    found = {EnrichError.__name__: EnrichError.default_code}
    waiting = [EnrichError.__name__]
    while waiting:
        base = waiting.pop()
        for name, node in classes.items():
            if any(isinstance(one, ast.Name) and one.id == base for one in node.bases):
                found[name] = _own_code(node) or found[base]
                waiting.append(name)
    return found


def _own_code(node: ast.ClassDef) -> str | None:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "default_code":
            assert isinstance(statement.value, ast.Constant)
            return str(statement.value.value)
    return None


@cache
def sites() -> tuple[Site, ...]:
    """Every site of the package, by code."""
    found = [site for path in sorted(PACKAGE.rglob("*.py")) for site in _sites_of(path)]
    return tuple(sorted(found, key=lambda site: (site.code or "", site.sentence, site.place)))


def _sites_of(path: Path) -> Iterator[Site]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        kind = node.func.id
        if kind not in error_classes() or not node.args:
            continue
        place = f"{path.relative_to(PACKAGE)}:{node.lineno}"
        given = next((keyword.value for keyword in node.keywords if keyword.arg == "code"), None)
        sentence = said(node.args[0])
        if given is None:
            own = error_classes()[kind]
            yield Site(place, kind, None if own in GENERIC else own, sentence)
        elif not isinstance(given, ast.Attribute):  # `code=error.code` hands on what another site says
            yield from (Site(place, kind, code, sentence) for code in _codes(given))


def _codes(node: ast.expr) -> list[str]:
    """The codes of a constant, or of an f-string that begins with the kind of thing."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    assert isinstance(node, ast.JoinedStr), ast.unparse(node)
    kind, rest = node.values
    assert isinstance(kind, ast.FormattedValue) and ast.unparse(kind.value) == "kind", ast.unparse(node)
    assert isinstance(rest, ast.Constant)
    return [f"{name}{rest.value}" for name in get_args(Kind)]


def said(node: ast.expr) -> str:
    """A sentence with `…` for what is put into it."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.BinOp):
        return said(node.left) + said(node.right)
    if isinstance(node, ast.IfExp):
        return f"{said(node.body)}, or {said(node.orelse)}"
    return "…"


def render() -> str:
    """The whole page."""
    told: dict[str, list[str]] = {}
    for site in sites():
        if site.code is not None:
            sentence = SAID_ELSEWHERE.get(site.code, site.sentence)
            told.setdefault(site.code, [])
            if sentence not in told[site.code]:
                told[site.code].append(sentence)
    return HEAD + "".join(f"| `{code}` | {'; '.join(map(_cell, told[code]))} |\n" for code in sorted(told))


def _cell(sentence: str) -> str:
    return (
        " ".join(re.sub("…+", "…", sentence).split())
        .replace("|", "\\|")
        .replace("{{", "{")
        .replace("}}", "}")
        .replace("`", "'")
    )


def main() -> None:
    """Write the page."""
    PAGE.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
