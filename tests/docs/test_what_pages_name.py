"""Every command, option, variable, path, table, column, link and anchor that a page names is there."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from enrichment_assets.cli import build_app
from enrichment_assets.receiver.limits import ReceiverLimits
from tests.docs.pages import FOR_DEVELOPERS, FOR_USERS, PAGES, REPOSITORY, Page

SOURCES = ("enrichment_assets", "dbt_like_sql", "deploy", "examples", "bench", "tests")
PRODUCT = {"enrichment_assets", "dbt_like_sql"}
SUFFIXES = {".py", ".sql", ".yaml", ".yml", ".csv", ".json", ".html", ".toml", ".ini", ".env", ".example", ""}
ROOTS = ("", "enrichment_assets", "dbt_like_sql", "tests/security")
"""Where a page's path begins: one about models says `seeds/...`, one about security names the tests of its folder."""

OF_OTHERS = {
    *("bulk_match", "bulk_enrich", "api_search", "include_password", "num_retries", "address_info"),
    *("budget_exceeded", "insufficient_quota", "toast_tuple_target", "search_path", "pg_dump", "pg_restore"),
    "pg_ctl",
    *("course_name", "pending_enrichment", "enriched_at"),
    "parentbased_traceidratio",
    *("default_toast_compression", "pglz_compress"),
    *("my_model", "my_field", "enriched_email", "deal_id", "funded_on", "subsidiary_count"),
}
"""Words of other people's products and of examples, which our code need not know."""


@cache
def source_words() -> frozenset[str]:
    """Every word of the repository's own files, the pages and this test left out."""
    words = {path.stem for path in _source_files()}
    for path in _source_files():
        words.update(re.findall(r"\w+", path.read_text(encoding="utf-8", errors="replace")))
    return frozenset(words)


@cache
def program() -> Any:
    """The command line as typer builds it: groups have `commands`, commands have `params`."""
    return typer.main.get_command(build_app())


def commands_in(page: Page) -> Iterator[tuple[str, list[str]]]:
    """(where, words) of each use of `enrich` in a block, a code span or a quoted sentence of them."""
    for block in page.blocks():
        for line in block.text.replace("\\\n", " ").splitlines():
            if (text := line.removeprefix("$ ").strip()).startswith("enrich "):
                yield str(block), words_of(text)
    for span in page.code_spans():
        if span.startswith("enrich "):
            yield f"{page.name} `{span}`", words_of(span)


def words_of(text: str) -> list[str]:
    """The words of one command, up to a comment, a pipe or the next command."""
    lexer = shlex.shlex(text.replace("'\\''", ""), posix=True, punctuation_chars="|;&>")
    lexer.whitespace_split, lexer.commenters = True, "#"
    words: list[str] = []
    for word in lexer:
        if word and set(word) <= set("|;&>"):
            break
        words.append(word.strip("[]") if word.startswith("[-") or word.endswith("]") else word)
    return words[1:]


def what_is_wrong(words: list[str]) -> str | None:
    """The first word that the program does not know, or None."""
    command = program()
    for word in words:
        if word in ("...", "…"):
            continue
        if hasattr(command, "commands"):
            if word.startswith("-"):
                return None if word in ("--help", "-h") else f"{command.name} has no option {word}"
            if (sub := command.commands.get(word)) is None:
                return f"{command.name} has no command {word}"
            command = sub
        elif re.match(r"--?[a-z]", word):
            names = {name for p in command.params for name in (*p.opts, *p.secondary_opts)} | {"--help", "-h"}
            if word.partition("=")[0] not in names:
                return f"{command.name} has no option {word}"
    return None


@pytest.mark.parametrize("name", PAGES)
def test_every_command_and_option_is_one_of_the_program(name: str) -> None:
    wrong = [f"{where}: {fault}" for where, words in commands_in(Page(name)) if (fault := what_is_wrong(words))]
    assert wrong == []


def test_an_option_named_alone_is_one_of_some_command() -> None:
    known = set(_all_options(program()))
    named = {
        (name, span.split()[0].partition("=")[0])
        for name in PAGES
        for span in Page(name).code_spans()
        if span.startswith("--")
    }
    other = source_words()  # options of `python -m ...` are declared somewhere, too
    known |= {option for _, option in named if option[2:].replace("-", "_") in other}
    assert {(page, option) for page, option in named if option not in known and option != "--"} == set()


@cache
def _anchors(path: Path) -> set[str]:
    return Page(str(path.relative_to(REPOSITORY))).anchors()


@pytest.mark.parametrize("name", PAGES)
def test_links_and_anchors_lead_somewhere(name: str) -> None:
    page, broken = Page(name), []
    for link in page.links():
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.path.parent / path).resolve() if path else page.path
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


def test_the_index_has_every_page_users_before_developers() -> None:
    listed = [f"docs/{link}" for link in Page("docs/README.md").links() if link.endswith(".md") and "/" not in link]
    assert listed == [page for page in (*FOR_USERS, *FOR_DEVELOPERS) if page.startswith("docs/")]
    assert {*listed, "docs/README.md"} == {f"docs/{path.name}" for path in (REPOSITORY / "docs").glob("*.md")}


def test_every_variable_of_the_environment_is_read_and_described() -> None:
    ours = r"\b((?:ENRICH_[A-Z0-9_]*[A-Z0-9]|[A-Z]+_DATABASE_URL))\b"
    quoted = re.compile(f"[\"']{ours}[\"']")
    product = [path for path in _source_files() if path.relative_to(REPOSITORY).parts[0] in PRODUCT]
    read = {variable for path in product for variable in quoted.findall(path.read_text(encoding="utf-8"))}
    read |= {f"ENRICH_RECEIVER_{field.name.upper()}" for field in fields(ReceiverLimits)}
    text = "\n".join(_text(name) for name in PAGES)
    named = set(re.findall(ours, text)) | {f"ENRICH_RECEIVER_{end}" for end in re.findall(r"`_([A-Z_]+)`", text)}
    assert (sorted(named - read), sorted(read - named - OUR_OWN)) == ([], [])


@pytest.mark.parametrize("name", PAGES)
def test_every_file_and_folder_is_there(name: str) -> None:
    made, files = _made(), {path.name for path in _tracked()}
    missing = []
    for span in Page(name).code_spans():
        text = span.partition("#")[0].rstrip("/")
        if re.fullmatch(r"[\w.-]+(/[\w.-]+)+", text) and text.split("/")[0] in _first_folders():
            if text not in THEIR_FILES and not any((REPOSITORY / root / text).exists() for root in ROOTS):
                missing.append(span)
        elif re.fullmatch(r"[a-z_]\w*\.(py|sql|csv|yml)", text) and text not in files | made | THEIR_FILES:
            missing.append(span)
    assert missing == []


OUR_OWN = {"ENRICH_STARTED_BY", "ENRICH_WARM_PROCESSES"}
"""Variables that `enrich up` sets for its own processes."""

THEIR_FILES = {"leads.csv", "people.csv", "deploy/.env", "deploy/providers.env", "models/marts/my_model.sql"}
"""Files that the reader has or makes."""


@pytest.mark.parametrize("name", PAGES)
def test_every_name_of_a_table_column_field_or_setting_is_in_the_code(name: str) -> None:
    known = source_words() | OF_OTHERS | {path.stem for path in _tracked()}
    unknown = {
        word
        for span in Page(name).code_spans()
        for word in re.findall(r"(?<![\w-])[a-z]\w*_\w+(?![\w-])", re.sub(r"https?://\S+", "", span))
        if not word.endswith("_") and word not in known
    }
    assert unknown == set()


def test_every_target_of_make_and_module_of_python_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", _text("Makefile"), re.MULTILINE))
    missing = []
    for name in PAGES:
        page = Page(name)
        for text in (*page.code_spans(), *(line for b in page.blocks() if b.is_shell for line in b.text.splitlines())):
            if (made := re.match(r"(?:\$ )?make ([a-z]+)", text)) and made[1] not in targets:
                missing.append((name, text))
            if (run := re.search(r"python -m ([\w.]+)", text)) and run[1].split(".")[0] in SOURCES:
                module = REPOSITORY / run[1].replace(".", "/")
                if not (module.with_suffix(".py").exists() or (module / "__main__.py").exists()):
                    missing.append((name, text))
    assert missing == []


def test_every_model_and_every_command_is_described() -> None:
    text = "\n".join(_text(name) for name in PAGES)
    models = {path.stem for path in (REPOSITORY / "dbt_like_sql" / "models").rglob("*.sql")}
    assert {model for model in models if f"`{model}`" not in text} == set()
    used = {" ".join(words[:3]) for name in PAGES for _, words in commands_in(Page(name))}
    assert [c for c in _all_commands(program(), "") if not any(u.startswith(c) for u in used)] == []


def _all_commands(group: Any, before: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _all_commands(command, f"{before}{name} ")
        else:
            yield before + name


def _all_options(command: Any) -> Iterator[str]:
    for parameter in command.params:
        yield from (*parameter.opts, *parameter.secondary_opts)
    for sub in getattr(command, "commands", {}).values():
        yield from _all_options(sub)


@cache
def _made() -> set[str | None]:
    """Names of the files that a reader of the pages writes."""
    return {block.file_name for page in PAGES for block in Page(page).blocks()}


@cache
def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return [REPOSITORY / line for line in listed.stdout.splitlines()]


@cache
def _source_files() -> list[Path]:
    here = Path(__file__).resolve().parent
    return [
        path
        for folder in SOURCES
        for path in (REPOSITORY / folder).rglob("*")
        if path.is_file()
        and path.suffix in SUFFIXES
        and path.parent != here
        and path.stat().st_size < 2_000_000
        and path.parent.name != "__pycache__"
    ]


@cache
def _first_folders() -> set[str]:
    folders = (path for root in ROOTS for path in (REPOSITORY / root).iterdir() if path.is_dir())
    return {folder.name for folder in folders if not folder.name.startswith(".")}


def _text(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")
