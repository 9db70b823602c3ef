"""Files: links in the inbox lead nowhere, the home is for one account, an open .env does not decide anything."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path

import pytest

from enrichment_assets.cli.env_file import load_env_file
from enrichment_assets.domain.errors import InfrastructureError, UploadRefusedError
from enrichment_assets.home import prepare_home
from enrichment_assets.installation.postgres_home import check_socket_dir, choose_data_dir, secure_socket_dir
from enrichment_assets.services.catalog.clients import add_client
from enrichment_assets.services.uploads.inbox_folder import take_in
from enrichment_assets.services.uploads.kept_files import keep_aside
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of

LIST = "First Name,Last Name,Email\nAda,Byron,ada@lovelace.example\n"


def _old(path: Path) -> Path:
    os.utime(path, (1, 1), follow_symlinks=False)
    return path


def test_a_link_in_the_inbox_is_refused_and_what_it_leads_to_is_not_kept(settings: Settings, tmp_path: Path) -> None:
    add_client(hq_of(settings), "acme", actor=TESTER)
    secret = tmp_path / "secret.csv"
    secret.write_text(LIST)
    box = settings.inbox_dir / "acme" / "normalise-only"
    box.mkdir(parents=True)
    (box / "people.csv").symlink_to(secret)
    (box / "dangling.csv").symlink_to(tmp_path / "nothing")
    for link in box.iterdir():
        _old(link)
    taken = take_in(hq_of(settings), settings, actor=TESTER)
    assert sorted((one.path.name, one.batch_key) for one in taken) == [("dangling.csv", None), ("people.csv", None)]
    assert all("symbolic link" in (one.problem or "") or "no such file" in (one.problem or "") for one in taken)
    assert not list(settings.uploads_dir.glob("acme/[!.]*"))
    assert secret.read_text() == LIST
    reasons = sorted(path.name for path in (box / "refused").glob("*.reason.txt"))
    assert reasons == ["dangling.csv.reason.txt", "people.csv.reason.txt"]


def test_folders_of_the_inbox_that_are_links_are_not_entered(settings: Settings, tmp_path: Path) -> None:
    add_client(hq_of(settings), "acme", actor=TESTER)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "normalise-only").mkdir(parents=True)
    (elsewhere / "normalise-only" / "people.csv").write_text(LIST)
    _old(elsewhere / "normalise-only" / "people.csv")
    settings.inbox_dir.mkdir(parents=True)
    (settings.inbox_dir / "acme").symlink_to(elsewhere)
    assert take_in(hq_of(settings), settings, actor=TESTER) == []
    assert (elsewhere / "normalise-only" / "people.csv").exists()


def test_a_refused_file_is_not_written_through_a_link(settings: Settings, tmp_path: Path) -> None:
    add_client(hq_of(settings), "acme", actor=TESTER)
    box = settings.inbox_dir / "acme" / "no-such-pipeline"
    box.mkdir(parents=True)
    file = box / "people.csv"
    file.write_text(LIST)
    _old(file)
    outside = tmp_path / "outside"
    outside.mkdir()
    (box / "refused").symlink_to(outside)
    (one,) = take_in(hq_of(settings), settings, actor=TESTER)
    assert "symbolic link" in (one.problem or "")
    assert list(outside.iterdir()) == []
    assert file.exists()


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_only_regular_files_are_uploads(settings: Settings, tmp_path: Path, kind: str) -> None:
    add_client(hq_of(settings), "acme", actor=TESTER)
    path = tmp_path / "list.csv"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = Path("/dev/null")
    with pytest.raises(UploadRefusedError, match=r"it is a folder|no regular file"):
        upload_file(hq_of(settings), settings, path, "acme", actor=TESTER)


def test_a_persons_own_link_is_followed(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(LIST)
    (tmp_path / "link.csv").symlink_to(tmp_path / "list.csv")
    with keep_aside(settings, tmp_path / "link.csv", "acme") as kept:
        kept.keep()
    assert stat.S_IMODE(kept.final.stat().st_mode) == 0o400
    assert kept.final.read_text() == LIST


def test_the_home_is_for_this_account_only(settings: Settings) -> None:
    prepare_home(settings.home)
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700
    settings.home.chmod(0o755)
    prepare_home(settings.home)
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700


def test_a_home_that_holds_roots_database_stays_passable(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "PG_VERSION").write_text("18")
    home.chmod(0o755)
    prepare_home(home)
    assert stat.S_IMODE(home.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)


@pytest.mark.parametrize(
    ("mode", "read", "said"),
    [
        (0o600, True, None),
        (0o640, True, "can be read"),
        (0o644, True, "can be read"),
        (0o666, False, "not read"),
        (0o620, False, "not read"),
    ],
)
def test_an_env_file_that_others_may_change_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, read: bool, said: str | None
) -> None:
    monkeypatch.setenv("ENRICH_SECRET_NAMES", "LISTED_*")
    monkeypatch.setenv("ALREADY_SET", "environment")
    monkeypatch.setenv("ACME_TOKEN", "")  # so that the end of the test takes away what the file sets
    monkeypatch.delenv("ACME_TOKEN")
    file = tmp_path / ".env"
    file.write_text("ACME_TOKEN=t0ken\nALREADY_SET=file\nENRICH_LOG=-\n")
    file.chmod(mode)
    monkeypatch.setenv("ENRICH_LOG", "kept")
    warnings: list[str] = []
    load_env_file(file, warnings.append)
    assert os.environ.get("ACME_TOKEN") == ("t0ken" if read else None)
    assert (os.environ["ALREADY_SET"], os.environ["ENRICH_LOG"]) == ("environment", "kept")
    assert os.environ["ENRICH_SECRET_NAMES"] == ("LISTED_*,ACME_TOKEN,ALREADY_SET" if read else "LISTED_*")
    assert [said in text for text in warnings] == ([True] if said else [])
    assert all("t0ken" not in text for text in warnings)


def test_a_socket_folder_of_somebody_else_is_not_believed(tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    secure_socket_dir(ours, None)
    check_socket_dir(ours, None)
    ours.chmod(0o777)
    with pytest.raises(InfrastructureError, match="not a private folder"):
        check_socket_dir(ours, None)
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    with pytest.raises(InfrastructureError, match="not a private folder"):
        check_socket_dir(link, None)


def test_a_new_home_at_the_path_of_a_deleted_one_finds_no_database(open_folder: Path) -> None:
    home, state = open_folder / "home", open_folder / "state"
    prepare_home(home)
    first, _ = choose_data_dir(home / "postgres", state)
    assert choose_data_dir(home / "postgres", state)[0] == first
    shutil.rmtree(home)
    prepare_home(home)
    second, _ = choose_data_dir(home / "postgres", state)
    if os.geteuid() == 0:
        assert first.is_relative_to(state)
        assert second.is_relative_to(state)
        assert second != first
    else:
        assert first == second == home / "postgres"


def test_a_home_without_a_name_keeps_the_database_that_it_had(open_folder: Path) -> None:
    home, state = open_folder / "home", open_folder / "state"
    home.mkdir(mode=0o700)
    earlier = state / hashlib.sha256(os.fsencode(home.resolve() / "postgres")).hexdigest()[:16] / "postgres"
    earlier.mkdir(parents=True)
    (earlier / "PG_VERSION").write_text("18")
    for folder in (state, earlier.parent, earlier):
        folder.chmod(0o755)
    expected = earlier if os.geteuid() == 0 else home / "postgres"
    assert choose_data_dir(home / "postgres", state)[0] == expected
