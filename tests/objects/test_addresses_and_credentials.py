"""What is wrong with an address or with credentials is said by the setting's name, without a key and a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.core.authorization import enable_iam_authentication

from enrichment_assets.cli import main
from enrichment_assets.domain.errors import ConfigurationError, EnrichError, InfrastructureError
from enrichment_assets.objects.bucket import Bucket
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse.copies import brought

CANARY = "canary-of-the-store"


def error_of(settings: Settings) -> EnrichError:
    """What a reader is told."""
    with pytest.raises(EnrichError) as raised:
        brought(settings)
    assert raised.value.what.startswith("ENRICH_WAREHOUSE is s3://")
    assert CANARY not in raised.value.what
    assert "AKIATEST" not in raised.value.what
    return raised.value


@pytest.fixture
def checked(bucket: str) -> Iterator[str]:
    """A bucket whose server looks at credentials until the end of the test."""
    with enable_iam_authentication():
        yield bucket


@pytest.mark.parametrize(
    "address",
    [
        "az://container/folder",
        "s3:/bucket/x",
        "http://bucket.example/x",
        "s3://",
        "s3://bucket/../other",
        "s3://key:secret@bucket/x",
        "S3://bucket/x",
        "file:///srv/enrich",
        "s3://bucket/a b",
        "s3://bucket?region=x",
    ],
)
def test_an_address_that_is_none_is_refused_before_anything_is_asked(address: str) -> None:
    with pytest.raises(ConfigurationError, match="ENRICH_UPLOADS") as raised:
        Bucket.at(address, "ENRICH_UPLOADS")
    assert raised.value.code == "objects.address_invalid"


def test_a_folder_is_taken_as_it_is_and_a_store_has_a_copy_in_the_home(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {"ENRICH_HOME": str(tmp_path), "ENRICH_UPLOADS": "/srv/kept", "ENRICH_WAREHOUSE": "gs://agency/warehouse"}
    )
    assert settings.uploads_dir == Path("/srv/kept")
    assert settings.warehouse_dir == tmp_path / "copies" / "warehouse"
    assert Settings(home=tmp_path).warehouse_dir == tmp_path / "warehouse"


def test_a_bucket_that_is_not_there_is_named(settings: Settings, credentials: dict[str, str]) -> None:
    with pytest.raises(EnrichError) as raised:
        brought(Settings(home=settings.home, warehouse="s3://no-such-bucket-here/warehouse"))
    assert raised.value.code == "objects.no_bucket"
    bucket = Bucket.at("s3://no-such-bucket-here/uploads", "ENRICH_UPLOADS")
    for ask in (lambda: bucket.read("x"), lambda: bucket.put("x", b"y")):
        with pytest.raises(ConfigurationError, match="ENRICH_UPLOADS is s3://no-such-bucket-here/uploads: there is no"):
            ask()


def test_credentials_that_the_store_refuses_are_an_error_that_names_the_variables(
    settings: Settings, checked: str
) -> None:
    told = error_of(Settings(home=settings.home, warehouse=f"{checked}/warehouse"))
    assert told.code == "objects.refused"
    assert "InvalidAccessKeyId" in told.what
    assert "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION" in told.what


@pytest.mark.parametrize(
    ("gone", "code"),
    [
        (["AWS_SECRET_ACCESS_KEY"], "objects.no_credentials"),
        (["AWS_ACCESS_KEY_ID"], "objects.no_credentials"),
    ],
    ids=str,
)
def test_half_of_the_credentials_is_an_error_that_names_the_variables(
    settings: Settings, bucket: str, monkeypatch: pytest.MonkeyPatch, gone: list[str], code: str
) -> None:
    for name in gone:
        monkeypatch.delenv(name)
    told = error_of(Settings(home=settings.home, warehouse=f"{bucket}/warehouse"))
    assert (told.code, type(told)) == (code, ConfigurationError)
    assert "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION" in told.what


def test_googles_credentials_are_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    with pytest.raises(ConfigurationError) as raised:
        Bucket.at("gs://agency/warehouse", "ENRICH_WAREHOUSE")
    assert raised.value.code == "objects.refused"
    assert "GOOGLE_APPLICATION_CREDENTIALS" in raised.value.what


def test_a_store_that_nobody_answers_for_is_infrastructure_and_is_asked_again_later(
    settings: Settings, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    told = error_of(Settings(home=settings.home, warehouse=f"{bucket}/warehouse"))
    assert (told.code, type(told)) == ("objects.unreachable", InfrastructureError)
    assert "127.0.0.1" not in told.what
    monkeypatch.undo()


def test_a_command_prints_one_line_and_no_traceback(
    settings: Settings, checked: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setenv("ENRICH_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("HQ_DATABASE_URL", settings.hq_database_url or "")
    monkeypatch.setenv("ENRICH_WAREHOUSE", f"{checked}/warehouse")
    monkeypatch.setattr(sys, "argv", ["enrich", "query", "select 1"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert (said.out, said.err.count("ENRICH_WAREHOUSE is s3://")) == ("", 1)
    assert "Traceback" not in said.err
    assert CANARY not in said.err


def test_a_process_that_was_forked_from_one_that_asked_the_store_is_told_instead_of_waiting_for_ever(
    store: Bucket, credentials: dict[str, str]
) -> None:
    program = f"""
import os
from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.objects.bucket import Bucket
store = Bucket.at({store.url!r}, "ENRICH_WAREHOUSE")
store.put("forked", b"x")
if os.fork() == 0:
    try:
        store.read("forked")
    except InfrastructureError as error:
        os._exit(7 if error.code == "objects.forked" else 8)
print(os.waitstatus_to_exitcode(os.wait()[1]), store.read("forked")[0])
"""
    told = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **credentials}, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "7 b'x'"


def test_an_installation_on_folders_never_loads_the_client(settings: Settings) -> None:
    program = """
import json, sys
from pathlib import Path
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import open_warehouse
home = Path(sys.argv[1])
open_warehouse(Settings(home=home)).close()
print(json.dumps([name for name in sys.modules if name.startswith("obstore")]))
"""
    told = subprocess.run(
        [sys.executable, "-c", program, str(settings.home)], capture_output=True, text=True, check=True
    )
    assert json.loads(told.stdout) == []
