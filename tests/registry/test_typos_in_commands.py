"""Typos as a user makes them on the command line: refused before anything is stored, launched or paid for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from psycopg import Connection
from typer.testing import CliRunner

from enrichment_assets.cli import workflow as workflow_commands
from enrichment_assets.cli.hints import told
from enrichment_assets.domain.errors import ConfigurationError, EnrichError, NotFoundError
from enrichment_assets.installation.databases import open_databases
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.services.batches import items
from enrichment_assets.services.batches import status as batch_status
from enrichment_assets.services.batches.launching import launch, map_columns, plan_launch
from enrichment_assets.services.catalog import configuration
from enrichment_assets.services.operations import callbacks, recovery
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.registry.test_typos import RIGHT

KEYS = {"APOLLO_API_KEY": "a"}


@pytest.fixture
def env(settings: Settings) -> dict[str, str | None]:
    return {"ENRICH_HOME": str(settings.home), "HQ_DATABASE_URL": settings.hq_database_url, "ENRICH_SANDBOX_URL": ""}


def check(env: dict[str, str | None], *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(workflow_commands.app, ["check", *arguments], env=env)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout


def test_a_check_says_how_to_send_a_key_to_an_address_that_is_not_its_providers(
    env: dict[str, str | None], tmp_path: Path
) -> None:
    path = tmp_path / "elsewhere.yaml"
    shipped = builtin_workflows()["scrape-homepage-via-zenrows"].model_dump(
        mode="json", by_alias=True, exclude_defaults=True
    )
    path.write_text(yaml.safe_dump({**shipped, "slug": "mine", "base_url": "https://api.zenrows.com.example"}))
    code, printed = check(env, str(path))
    assert (code, printed.strip().endswith("is not that provider's address: if that is meant, say so: --replace")) == (
        1,
        True,
    ), printed
    (problem,) = json.loads(check(env, str(path), "--json")[1])[0]["problems"]
    text = "if that is meant, say so: --replace"
    assert problem["hints"] == [{"action": "allow_foreign_host", "arguments": {"workflow": "mine"}, "text": text}]


def test_files_are_checked_whole_by_line_and_nothing_is_saved(
    settings: Settings, env: dict[str, str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENRICH_SECRET_NAMES", "RATER_*")
    right, wrong, broken = (tmp_path / name for name in ("right.yaml", "wrong.yaml", "broken.yaml"))
    text = RIGHT.replace("[title, homepage_text]", "[title, homepage_text, person_scroe]")
    right.write_text(text)
    wrong.write_text(
        RIGHT.replace("rate-person", "rate-two").replace("{{ full_name }}", "{{ fulname }}").replace("!email", "!emial")
    )
    broken.write_text("slug: x\nrequest: [\n")

    code, printed = check(env, str(right), str(wrong), str(broken), str(tmp_path / "none.yaml"))
    assert code == 1
    lines = printed.splitlines()
    assert f"{right}: workflow rate-person can be added" in lines
    assert [line for line in lines if line.startswith(str(wrong))] == [
        f"{wrong}:24: request.body.name: nothing gives a field 'fulname'; did you mean 'full_name'?",
        f"{wrong}:10: run_if: nothing gives a field 'emial'; did you mean 'email'?",
    ]
    assert any(line.startswith(f"{broken}: is not YAML") for line in lines)
    assert any("there is no file" in line for line in lines)

    code, printed = check(env, str(wrong), "--json")
    (found,) = json.loads(printed)
    assert (code, found["slug"], [problem["line"] for problem in found["problems"]]) == (1, "rate-two", [24, 10])
    assert check(env, str(right))[0] == 0
    assert "rate-person" not in {row.definition.slug for row in configuration.list_workflows(hq_of(settings))}
    nowhere = env | {"ENRICH_HOME": str(tmp_path / "no-home"), "HQ_DATABASE_URL": ""}
    assert check(nowhere, str(right))[0] == 0
    assert not (tmp_path / "no-home").exists(), "a check makes no installation"


def test_one_file_may_read_what_another_of_them_provides(
    env: dict[str, str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENRICH_SECRET_NAMES", "RATER_*")
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(RIGHT)
    second.write_text(
        "slug: mail\ntitle: Mail\nstep: 900\nprovider: http\noperation: m\nmode: sync\n"
        "request: {url: /enrich, body: {rating: '{{ person_rating }}'}}\n"
    )
    assert check(env, str(first), str(second))[0] == 0
    code, printed = check(env, str(second))
    assert code == 1
    assert f"{second}:7: request.body.rating: nothing gives a field 'person_rating'" in printed


def test_what_is_added_configured_or_launched_under_a_wrong_name_is_refused(
    settings: Settings, hq: Connection[dict[str, object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENRICH_SECRET_NAMES", "RATER_*")
    configuration.add_client(hq_of(settings), "acme", actor=TESTER)
    file = tmp_path / "rate.yaml"
    file.write_text(RIGHT.replace("{{secrets.token}}", "{{secrets.tokn}}"))
    with pytest.raises(ConfigurationError, match=r"authorization \(line 22\): there is no secret 'tokn'; did you mean"):
        configuration.add_workflow(hq_of(settings), settings, file, actor=TESTER)
    file.write_text(RIGHT)
    assert configuration.add_workflow(hq_of(settings), settings, file, actor=TESTER).warnings == ()
    with pytest.raises(ConfigurationError, match="'normalise-nmae'; did you mean 'normalise-name'"):
        configuration.add_pipeline(
            hq_of(settings), configuration.pipeline_from_steps("p", "normalise-nmae,rate-person"), actor=TESTER
        )
    with pytest.raises(ConfigurationError, match=r"run_if: reads 'company_employee_count', which no upload and"):
        configuration.add_pipeline(hq_of(settings), configuration.pipeline_from_steps("p", "rate-person"), actor=TESTER)
    steps = "normalise-domain,enrich-organization-via-apollo,rate-person"
    configuration.add_pipeline(hq_of(settings), configuration.pipeline_from_steps("rated", steps), "acme", actor=TESTER)

    for values, secrets, sentence in [
        ({"parameters.langage": "de"}, {}, "there is no parameter 'langage': did you mean 'language'?"),
        ({"parameters": {"modl": "large"}}, {}, "there is no parameter 'modl': did you mean 'model'?"),
        ({"limits.per_secnd": 1}, {}, "did you mean 'per_second'?"),
        ({"request.body.name": "{{ ful_name }}"}, {}, "nothing gives a field 'ful_name'; did you mean 'full_name'?"),
        ({}, {"tokn": "RATER_OTHER"}, "did you mean 'token'?"),
    ]:
        with pytest.raises(ConfigurationError) as caught:
            configuration.set_client_config(
                hq_of(settings), settings, "acme", "rate-person", set_values=values, secrets=secrets, actor=TESTER
            )
        assert sentence in str(caught.value)
    assert hq.execute("select 1 from client_workflow_configs where secrets ? 'tokn'").fetchone() is None

    people = tmp_path / "people.csv"
    people.write_text("First Name,Last Name,Website,Job,Remark of sale\nAda,King,a.example,Boss,nice\n")
    upload = upload_file(hq_of(settings), settings, people, "acme", actor=TESTER).upload_id
    (problem,) = [
        text
        for text in plan_launch(hq_of(settings), settings, upload, "rated", environment={}).problems
        if "column" in text
    ]
    sentence = "workflow rate-person, request.body.remark: the upload has no column 'Remark of Sales': did you mean 'R"
    assert problem.startswith(sentence)
    with pytest.raises(ConfigurationError, match="no column 'Remark of Sales': did you mean 'Remark of sale'"):
        launch(
            hq_of(settings),
            settings,
            upload,
            "rated",
            add_partition=lambda _key: None,
            environment=KEYS | {"RATER_TOKEN": "x"},
            actor=TESTER,
        )
    assert hq.execute("select 1 from batches").fetchone() is None
    with pytest.raises(ConfigurationError, match="did you mean 'title'"):
        map_columns(hq_of(settings), settings, upload, {"Job": "titel"}, actor=TESTER)


def test_clients_workflows_pipelines_and_batches_that_are_not_there_are_asked_about(
    settings: Settings, tmp_path: Path
) -> None:
    configuration.add_client(hq_of(settings), "acme-sales", actor=TESTER)
    people = tmp_path / "people.csv"
    people.write_text("First Name,Last Name,Website\nAda,King,a.example\n")
    upload = upload_file(hq_of(settings), settings, people, "acme-sales", actor=TESTER).upload_id
    key = launch(
        hq_of(settings), settings, upload, "normalise-only", add_partition=lambda _key: None, actor=TESTER
    ).batch_key
    items.create_items(hq_of(settings), settings, key)
    near = key.replace("normalise", "normalize")
    with connect(open_databases(settings).hq) as connection:
        for ask, meant in [
            (lambda: configuration.get_client(hq_of(settings), "acme-sale"), "acme-sales"),
            (lambda: upload_file(hq_of(settings), settings, people, "acmesales", actor=TESTER), "acme-sales"),
            (lambda: callbacks.list_callbacks(hq_of(settings), client="acme-slaes"), "acme-sales"),
            (lambda: configuration.get_workflow(hq_of(settings), "normalize-name"), "normalise-name"),
            (
                lambda: configuration.set_workflow_enabled(hq_of(settings), "normalise-nam", False, actor=TESTER),
                "normalise-name",
            ),
            (
                lambda: configuration.get_client_config(hq_of(settings), "acme-sales", "match-person"),
                "match-person-via-apollo",
            ),
            (lambda: configuration.get_pipeline(hq_of(settings), "full-dmeo"), "full-demo"),
            (lambda: plan_launch(hq_of(settings), settings, upload, "normalise-onyl"), "normalise-only"),
            (lambda: batch_status.batch_row(hq_of(settings), near), key),
            (lambda: items.create_items(hq_of(settings), settings, near), key),
            (lambda: recovery.locked(connection, near, None), key),
            (lambda: recovery.locked(connection, key, "normalise-domian"), "normalise-domain"),
        ]:
            with pytest.raises(NotFoundError) as caught:
                ask()
            assert f"did you mean {meant!r}?" in str(caught.value)
    with pytest.raises(EnrichError) as unknown:
        configuration.get_client(hq_of(settings), "nobody")
    assert told(unknown.value) == (
        "there is no client 'nobody': `enrich client list` shows all, `enrich client add nobody` adds it"
    )
