"""A warehouse in an object store: whole generations, seen alike from every machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.objects.bucket import Bucket, NoSuchObjectError
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import build_analytics, build_models, building, open_warehouse, publish_batch_sources
from enrichment_assets.warehouse.copies import brought, published_as_one, withdraw_batch
from enrichment_assets.warehouse.files import Layout, put_in_place
from enrichment_assets.warehouse.generations import Scope, current
from enrichment_assets.warehouse.project import Project
from tests.harness.handles import hq_of
from tests.objects.conftest import Machine
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import official_leads

ACME = Scope("acme-1", "acme")
MANIFEST = "manifests/acme-1/acme.json"


def write(settings: Settings, text: str, name: str = "final_leads", scope: Scope = ACME) -> None:
    """Publish one file of a batch, which need not be Parquet for this."""
    layout = Layout.of(settings)

    def work() -> None:
        with put_in_place(layout.model(name, scope.client_slug, scope.batch_key)) as unfinished:
            unfinished.write_text(text)

    published_as_one(layout, scope, work)


def read(settings: Settings, name: str = "final_leads", scope: Scope = ACME) -> str:
    """The same file as another machine sees it."""
    return brought(settings).model(name, scope.client_slug, scope.batch_key).read_text()


def test_what_one_machine_extracts_another_one_queries_and_builds_upon(machine: Machine) -> None:
    a, b = machine("a"), machine("b")
    built = Build(a)(official_leads(), batch_key="officials")
    leads = built.sql("select * from final_leads order by item_id").fetchall()
    history = built.sql("select * from person_work_history order by all").fetchall()
    assert leads
    assert history
    there = open_warehouse(b, client_slug="acme", batch_key="officials")
    assert there.sql("select * from final_leads order by item_id").fetchall() == leads
    assert there.sql("select * from person_work_history order by all").fetchall() == history
    organisations = "select * from organisations order by all"
    assert open_warehouse(b).sql(organisations).fetchall() == open_warehouse(a).sql(organisations).fetchall()
    read_at = "select read_at from hq.batches"
    before = built.sql(read_at).fetchall()
    publish_batch_sources(hq_of(b), b, "officials")
    build_models(b, "officials")
    assert open_warehouse(a).sql("select * from final_leads order by item_id").fetchall() == leads
    assert open_warehouse(a).sql(read_at).fetchall() == open_warehouse(b).sql(read_at).fetchall() != before


def test_models_over_all_batches_that_were_overtaken_are_built_from_all_that_is_there_by_then(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = machine("a"), machine("b")
    Build(a)(official_leads()[:5], batch_key="first")
    attempts = []
    project_of = building.project_of

    def overtaken(layout: Layout) -> Project:
        attempts.append(layout)
        if len(attempts) == 1:
            monkeypatch.setattr(building, "project_of", project_of)
            Build(a)(official_leads()[5:20], batch_key="second")
            monkeypatch.setattr(building, "project_of", overtaken)
        return project_of(layout)

    monkeypatch.setattr(building, "project_of", overtaken)
    build_analytics(b)
    assert len(attempts) == 2
    organisations = "select * from organisations order by all"
    there = open_warehouse(machine("c")).sql(organisations).fetchall()
    build_analytics(a)
    assert open_warehouse(a).sql(organisations).fetchall() == there


def test_nothing_is_fetched_twice_and_bytes_that_stayed_the_same_are_put_once(machine: Machine, store: Bucket) -> None:
    a, b = machine("a"), machine("b")
    write(a, "one")
    write(a, "history", "person_work_history")
    assert read(b) == "one"
    fetched = brought(b).model("final_leads", "acme", "acme-1")
    before = fetched.stat()
    assert read(b) == "one"
    assert (fetched.stat().st_ino, fetched.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    keys = {one.key for one in store.list("files")}
    write(b, "one")
    assert {one.key for one in store.list("files")} == keys
    assert read(a) == "one"


def test_who_was_overtaken_does_the_work_again_from_what_the_other_has_published(machine: Machine) -> None:
    a, b = machine("a"), machine("b")
    write(a, "1")
    layout = Layout.of(b)
    path = layout.model("final_leads", "acme", "acme-1")
    seen = []

    def count_on() -> None:
        seen.append(path.read_text())
        if len(seen) == 1:
            write(a, "2")
        with put_in_place(path) as unfinished:
            unfinished.write_text(str(int(seen[-1]) + 1))

    published_as_one(layout, ACME, count_on)
    assert seen == ["1", "2"]
    assert (read(a), read(b)) == ("3", "3")


def test_two_first_publications_at_once_leave_the_files_of_both(machine: Machine) -> None:
    a, b = machine("a"), machine("b")
    done = []

    def work() -> None:
        if not done:
            done.append(1)
            write(b, "of b", "person_work_history")
        with put_in_place(Layout.of(a).model("final_leads", "acme", "acme-1")) as unfinished:
            unfinished.write_text("of a")

    published_as_one(Layout.of(a), ACME, work)
    c = machine("c")
    assert (read(c), read(c, "person_work_history")) == ("of a", "of b")


def test_files_of_a_generation_stay_for_a_while_and_go_then(machine: Machine, store: Bucket) -> None:
    a = machine("a")
    write(a, "one")
    old = current(store, ACME)[0].files["models/final_leads/client_slug=acme/acme-1.parquet"].key
    write(a, "two")
    assert store.read(old)[0] == b"one"
    text, etag = store.read(MANIFEST)
    said = json.loads(text)
    assert list(said["left"]) == [old]
    said["left"] = {old: said["left"][old] - 3_700}
    store.swap(MANIFEST, json.dumps(said).encode(), etag)
    write(a, "three")
    with pytest.raises(NoSuchObjectError):
        store.read(old)
    assert read(machine("b")) == "three"


def test_a_reader_whose_generation_was_swept_meanwhile_reads_the_next(
    machine: Machine, store: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = machine("a"), machine("b")
    write(a, "one")
    swept = []
    download = Bucket.download

    def slow(bucket: Bucket, key: str, target: Path) -> None:
        if not swept:
            swept.append(key)
            write(a, "two")
            store.delete([key])
        download(bucket, key, target)

    monkeypatch.setattr(Bucket, "download", slow)
    assert read(b) == "two"
    assert swept


def test_a_machine_whose_clock_is_behind_still_writes_what_is_newer(machine: Machine) -> None:
    a, b = machine("a"), machine("b")
    write(a, "one")
    path = brought(a).model("final_leads", "acme", "acme-1")
    ahead = path.stat().st_mtime_ns + 60 * 10**9

    def from_the_future() -> None:
        with put_in_place(path) as unfinished:
            unfinished.write_text("two")
        os.utime(path, ns=(ahead, ahead))

    published_as_one(Layout.of(a), ACME, from_the_future)
    write(b, "three")
    assert brought(a).model("final_leads", "acme", "acme-1").stat().st_mtime_ns > ahead


def test_a_removed_batch_is_gone_from_the_store_and_from_every_copy(machine: Machine, store: Bucket) -> None:
    a, b = machine("a"), machine("b")
    write(a, "one")
    write(a, "other", scope=Scope("acme-2", "acme"))
    assert read(b) == "one"
    withdraw_batch(brought(a), "acme", "acme-1")
    assert [one.key for one in store.list("manifests")] == ["manifests/acme-2/acme.json"]
    assert store.list("files/acme-1") == []
    assert not brought(b).model("final_leads", "acme", "acme-1").exists()
    assert read(b, scope=Scope("acme-2", "acme")) == "other"
    with pytest.raises(NotFoundError):
        brought(b, batch_key="acme-1").client_of("acme-1")


def test_a_question_about_one_client_fetches_no_other_clients_files(machine: Machine) -> None:
    a, b = machine("a"), machine("b")
    write(a, "one")
    write(a, "two", scope=Scope("other-1", "other"))
    write(a, "three", scope=Scope("all-1", "all"))
    layout = brought(b, client_slug="acme")
    assert [path.name for path in layout.root.glob("*/*/*/*.parquet")] == ["acme-1.parquet"]
    assert read(b, scope=Scope("all-1", "all")) == "three"


@pytest.mark.parametrize(
    "path",
    [
        "models/final_leads/client_slug=other/acme-1.parquet",
        "models/../../x/client_slug=acme/acme-1.parquet",
        "lead_columns.json",
        "/etc/passwd",
        "models/final_leads/client_slug=acme/acme-1.parquet\n",
        "models/final_leads/client_slug=acme/acme-10.parquet",
    ],
)
def test_a_manifest_can_name_only_files_of_its_own_batch(path: str) -> None:
    assert ACME.owns("models/final_leads/client_slug=acme/acme-1.parquet")
    assert not ACME.owns(path)
