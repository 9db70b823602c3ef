"""An error has a code, says what happened, and carries what helps as data; the command line alone words commands."""

from __future__ import annotations

import ast
import json
import pickle
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from string import Formatter

import pytest
import typer.main

import enrichment_assets
from enrichment_assets import cli
from enrichment_assets.cli.hints import SENTENCES, as_json, told, worded
from enrichment_assets.domain.errors import EnrichError, MissingVariableError, NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.services.operations.remedy_sentences import NEUTRAL, sentence
from enrichment_assets.services.operations.remedy_sentences import SENTENCES as REMEDIES

PACKAGE = Path(enrichment_assets.__file__).parent
PLATFORM_PROCESS = {
    "services/operations/remedies.py",
    "installation/running_stack.py",
    "installation/stack.py",
    "store/tables/run.py",
}
"""Where `enrich up` is the name that a process of the platform bears, also in HQ (`batch_stops.process`)."""

BATCH_MISSING = NotFoundError("there is no batch 'x'", Hint(Action.LIST_BATCHES), code="batch.not_found")


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of each string of a module that is no docstring; parts of an f-string are joined with `{}`."""
    tree = ast.parse(path.read_text())
    passed: set[int] = set()
    for node in ast.walk(tree):
        for statement in getattr(node, "body", []) if isinstance(getattr(node, "body", None), list) else []:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                passed.add(id(statement.value))
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            passed.update(id(part) for part in node.values)
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            yield node.lineno, node.value


def test_no_module_outside_the_command_line_names_a_command() -> None:
    commands = typer.main.get_command(cli.build_app()).commands  # type: ignore[attr-defined]
    named = re.compile(rf"\benrich ({'|'.join(map(re.escape, commands))})\b")
    assert named.search("there is no client: `enrich client add {}` adds it") and named.search("Next: enrich run {}")
    found = {
        (str(path.relative_to(PACKAGE)), text)
        for path in PACKAGE.rglob("*.py")
        if path.parent.name not in ("cli", "versions")
        for _, text in strings(path)
        if named.search(text)
    }
    assert {entry for entry in found if entry[0] not in PLATFORM_PROCESS or "enrich up" not in entry[1]} == set()


def test_no_error_outside_the_command_line_names_an_option() -> None:
    option = re.compile(r"(?<![\w-])--[a-z]{3,}")
    found = [
        (path.name, node.lineno, part.value)
        for path in (PACKAGE / "services").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Raise)
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and option.search(part.value)
    ]
    assert found == []


ARGUMENTS = {"variable", "process", "variables", "at", "field", "workflows"}


@pytest.mark.parametrize("action", REMEDIES, ids=str)
def test_a_remedy_is_one_sentence_for_the_command_line_and_one_that_names_no_command(action: Action) -> None:
    arguments = dict.fromkeys(ARGUMENTS, "x y")
    typed, neutral = worded(Hint(action, arguments)), sentence(Hint(action, arguments))
    assert not re.search(r"enrich|--", neutral)
    assert typed == neutral or "enrich up" in typed
    assert not re.search(r"[{}]|^[A-Z][a-z]|\.$", typed + neutral)
    used = {name for _, name, _, _ in Formatter().parse(REMEDIES[action]) if name}
    assert used <= ARGUMENTS | set(NEUTRAL)


def test_a_remedy_names_the_process_as_its_reader_knows_it() -> None:
    platform, shell = (Hint(Action.SET_RIGHT, {"process": name}) for name in ("platform", "host:7"))
    assert worded(platform) == "set it right where `enrich up` is started, and start that again"
    assert sentence(platform) == "set it right where the platform is started, and start that again"
    assert "the shell that ran it last (process host:7)" in worded(shell)
    again = Hint(Action.RESTART_FOR_SIMULATOR)
    assert worded(again) == "start `enrich up` again with --sandbox, or launch the upload for real providers"
    assert sentence(again) == "start the platform again for the simulator, or launch the upload for real providers"


def test_each_action_has_a_sentence_and_each_placeholder_an_argument() -> None:
    assert set(SENTENCES) | set(REMEDIES) == set(Action)
    assert not set(SENTENCES) & set(REMEDIES)
    arguments = {"client", "batch", "runs", "with_or_without", "query", "file", "field", "workflow", "role", "delivery"}
    used = {name for text in SENTENCES.values() for _, name, _, _ in Formatter().parse(text) if name}
    assert used == arguments


@pytest.mark.parametrize(
    ("hint", "sentence"),
    [
        (Hint(Action.ADD_CLIENT, {"client": "acme"}), "`enrich client add acme` adds it"),
        (Hint(Action.ADD_CLIENT, {"client": "a b; ls"}), "`enrich client add 'a b; ls'` adds it"),
        (Hint(Action.ADD_CLIENT, {"client": "{batch}"}), "`enrich client add '{batch}'` adds it"),
        (Hint(Action.LIST_BATCHES_OF, {"client": "acme"}), "`enrich status --client acme` lists them"),
        (
            Hint(Action.QUERY_MODEL, {"model": "provider_spend", "file": "my file.csv"}),
            "use `enrich query 'select * from provider_spend' --to 'my file.csv'`",
        ),
        (
            Hint(Action.LEAVE_TO_RUNS, {"batch": "b-1", "runs": "run a, run b"}),
            "a run works on this batch now (run a, run b) and takes up what it can; what it leaves, the sequencer or "
            "`enrich run b-1` continues",
        ),
        (
            Hint(Action.NAME_SECRET, {"workflow": "find-mail"}),
            "use --secret purpose=VARIABLE_NAME, and {{secrets.purpose}} in a header",
        ),
        (
            Hint(Action.RESTART_PLATFORM, {"simulator": "yes"}),
            "`enrich up` has to be started again with --sandbox, if it runs this",
        ),
    ],
)
def test_a_hint_is_a_command_that_can_be_pasted(hint: Hint, sentence: str) -> None:
    assert worded(hint) == sentence


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (BATCH_MISSING, "there is no batch 'x': `enrich status` lists the batches"),
        (
            NotFoundError("did you mean 'y'?", Hint(Action.LIST_UPLOADS)),
            "did you mean 'y'? `enrich uploads` lists them",
        ),
        (NotFoundError("It is none.", Hint(Action.LIST_UPLOADS)), "It is none: `enrich uploads` lists them"),
        (EnrichError("It is none."), "It is none."),
    ],
)
def test_an_error_is_one_line_that_ends_in_what_helps(error: EnrichError, line: str) -> None:
    assert told(error) == line


def test_a_program_gets_the_code_what_happened_and_what_helps() -> None:
    assert as_json(BATCH_MISSING) == {
        "error": {
            "code": "batch.not_found",
            "what": "there is no batch 'x'",
            "hints": [{"action": "list_batches", "arguments": {}, "text": "`enrich status` lists the batches"}],
        }
    }
    assert as_json(MissingVariableError("KEY is not set", "KEY"))["error"]["code"] == "configuration.variable_missing"


def test_an_error_keeps_its_code_and_hints_on_its_way_between_processes() -> None:
    again = pickle.loads(pickle.dumps(BATCH_MISSING))
    assert as_json(again) == as_json(BATCH_MISSING)


def test_every_error_of_the_platform_has_a_code_for_programs() -> None:
    for module in walk_packages([str(PACKAGE)], "enrichment_assets."):
        if ".migrations" not in module.name and not module.name.endswith((".definitions", "__main__")):
            import_module(module.name)
    kinds = [EnrichError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
        assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", kind.default_code), kind
    assert len(kinds) > 10


def test_a_command_that_was_asked_for_json_says_its_error_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENRICH_HOME", str(tmp_path / "none"))
    monkeypatch.delenv("HQ_DATABASE_URL", raising=False)
    said = {}
    for name, options in {"json": ["--json"], "text": []}.items():
        monkeypatch.setattr("sys.argv", ["enrich", "status", *options])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said[name] = (ended.value.code, capsys.readouterr())
    assert said["json"][0] == said["text"][0] == 1
    error = json.loads(said["json"][1].err)["error"]
    assert said["text"][1].err == f"enrich: {error['what']}\n"
    assert (error["code"], error["hints"]) == ("home.not_found", [])
    assert said["json"][1].out == said["text"][1].out == ""
