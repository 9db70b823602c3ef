"""This machine's copy of a warehouse in an object store. On a local folder all of this does nothing.

Who reads asks for `brought(...)`: what has changed in the store is fetched, whole generations only, and from then on
the files are as local as any. Who writes does it in `published_as_one`: the files are written here as ever, then put
into the store, then the manifest is swapped. Where somebody else has swapped it meanwhile, the work is done again from
what they published: what is written later was read later, also between machines.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TypeVar

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.home import prepare_home
from enrichment_assets.objects.bucket import Bucket, NoSuchObjectError, OvertakenError
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import generations
from enrichment_assets.warehouse.files import UNFINISHED_SUFFIX, Layout, sweep
from enrichment_assets.warehouse.generations import ALL, EVERYTHING, Generation, Scope, StoredFile
from enrichment_assets.warehouse.locking import locked, locked_if_free

T = TypeVar("T")

_AT_ONCE = 16
"""Requests under way at a time: they wait for the network, not for a processor."""

_ATTEMPTS = 8
_UNFINISHED = "unfinished"


def brought(settings: Settings, *, batch_key: str | None = None, client_slug: str | None = None) -> Layout:
    """The warehouse, as it is now: of one batch, of one client or all, with what is over all batches.

    Raises:
        ConfigurationError: The object store's address or credentials are wrong.
        InfrastructureError: It cannot be reached.
    """
    layout = Layout.of(settings)
    if layout.bucket is not None:
        prepare_home(settings.home)
        _bring(layout, layout.bucket, batch_key, client_slug)
    return layout


def published_as_one(layout: Layout, scope: Scope, work: Callable[[], T]) -> T:
    """Do what writes files of a scope, and publish them together. The caller holds the lock of a batch.

    On a local folder each file counts as soon as it is in its place. In an object store all count at once, or none; the
    work is done again where somebody else has published in between.
    """
    bucket = layout.bucket
    if bucket is None:
        return work()
    with locked(layout, f"{ALL}.lock") if scope == EVERYTHING else nullcontext():
        for _ in range(_ATTEMPTS):
            base, etag = _begin(layout, bucket, scope)
            done = work()
            try:
                _publish(layout, bucket, scope, base, etag)
            except OvertakenError:
                continue
            return done
    raise InfrastructureError(
        f"the warehouse's files of {scope.batch_key} are published by others again and again",
        code="warehouse.published_by_others",
    )


def withdraw_batch(layout: Layout, client_slug: str, batch_key: str) -> None:
    """Remove a batch from an object store, if the warehouse is in one; the caller removes the copy, under its lock."""
    if layout.bucket is not None:
        scope = Scope(batch_key, client_slug)
        generations.withdraw(layout.bucket, scope)
        _note(layout, scope, None)


def drop_earlier(layout: Layout, batch_keys: Iterable[str]) -> None:
    """Remove at once what earlier generations of these batches, and of what is over all, left in an object store.

    Whoever reads one of them at this moment fails, and reads the one that counts when asked again. On a local folder
    nothing of before is left.
    """
    if layout.bucket is None:
        return
    wanted = {*batch_keys, ALL}
    for scope in generations.published(layout.bucket, None, None):
        if scope.batch_key in wanted:
            generations.drop_others(layout.bucket, scope)


def _begin(layout: Layout, bucket: Bucket, scope: Scope) -> tuple[Generation, str | None]:
    """Bring the copy to the generation that counts, and note that it is about to differ from it."""
    generation, etag = _fetch_current(layout, bucket, scope)
    _note(layout, scope, _UNFINISHED)
    return generation, etag


def _publish(layout: Layout, bucket: Bucket, scope: Scope, base: Generation, etag: str | None) -> None:
    """Put what has changed into the store and let it count. Raises `OvertakenError`."""
    here = {str(path.relative_to(layout.root)): path for path in _files_of(layout, scope)}
    changed = [name for name, path in here.items() if not _is_as_stored(path, base.files.get(name))]
    _order(base.newest_ns, [here[name] for name in changed])
    name = uuid.uuid4().hex
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        put = pool.map(lambda one: _put(bucket, scope, name, one, here[one], base.files.get(one)), changed)
        stored = dict(zip(changed, put, strict=True))
    files = {one: stored.get(one) or base.files[one] for one in here}
    if files != base.files:
        new = base.followed_by(files, name)
        etag = generations.swap(bucket, scope, new, etag)
        generations.sweep(bucket, scope, new)
    _note(layout, scope, _digest(etag))


def _put(bucket: Bucket, scope: Scope, generation: str, name: str, path: Path, before: StoredFile | None) -> StoredFile:
    """Put one file into the store, unless its bytes are there already."""
    found, digest = path.stat(), _sha256(path)
    if before is not None and before.sha256 == digest:
        return StoredFile(before.key, found.st_size, found.st_mtime_ns, digest)
    short = "/".join(name.split("/")[:2]).removesuffix(".json")
    key = f"files/{scope.batch_key}/{generation}/{short}{path.suffix}"
    bucket.put(key, path)
    return StoredFile(key, found.st_size, found.st_mtime_ns, digest)


def _order(floor: int, paths: Iterable[Path]) -> None:
    """Let what was written now be newer than what was there, whatever the clock of the machine that wrote that."""
    times = {path: path.stat().st_mtime_ns for path in paths}
    shift = max(0, floor + 1 - min(times.values(), default=floor + 1))
    for path, written in times.items() if shift else ():
        os.utime(path, ns=(written + shift, written + shift))


def _bring(layout: Layout, bucket: Bucket, batch_key: str | None, client_slug: str | None) -> None:
    """Fetch what the copy lacks and remove what the store has no more. What is being written here is left alone."""
    layout.root.mkdir(parents=True, exist_ok=True)
    with locked(layout, "copies.lock"):
        there, here = generations.published(bucket, batch_key, client_slug), _noted(layout)
        for scope in here.keys() - there.keys():
            asked = batch_key in (None, scope.batch_key) and client_slug in (None, scope.client_slug)
            if asked or scope == EVERYTHING:
                _settle(layout, bucket, scope)
        for scope, etag in there.items():
            if here.get(scope) != _digest(etag):
                _settle(layout, bucket, scope)


def _settle(layout: Layout, bucket: Bucket, scope: Scope) -> None:
    """Make the copy of one scope what the store has, unless somebody of this machine writes it."""
    with locked_if_free(layout, f"{scope.batch_key}.lock") as free:
        if not free:
            return
        _, etag = _fetch_current(layout, bucket, scope)
        _note(layout, scope, None if etag is None else _digest(etag))


def _fetch_current(layout: Layout, bucket: Bucket, scope: Scope) -> tuple[Generation, str | None]:
    """Make the copy's files what counts now; the generation, and its manifest's etag."""
    for _ in range(_ATTEMPTS):
        generation, etag = generations.current(bucket, scope)
        try:
            _fetch(layout, bucket, scope, generation)
        except NoSuchObjectError:  # it was published anew, and swept, while it was fetched
            continue
        return generation, etag
    raise InfrastructureError(
        f"the warehouse's files of {scope.batch_key} are not where their manifest says", code="warehouse.files_missing"
    )


# crash point: generation-is-fetched
def _fetch(layout: Layout, bucket: Bucket, scope: Scope, generation: Generation) -> None:
    """Fetch all files first, then give all of them their names: a reader here waits for no network in between."""
    lacking = {n: f for n, f in generation.files.items() if not _is_as_stored(layout.root / n, f)}
    aside = {name: _aside(layout.root / name) for name in lacking}
    for name in lacking:
        sweep(layout.root / name)
    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda name: _download(bucket, lacking[name], aside[name]), lacking))
        for name, path in aside.items():
            path.replace(layout.root / name)
    finally:
        for path in aside.values():
            path.unlink(missing_ok=True)
    for path in _files_of(layout, scope):
        if str(path.relative_to(layout.root)) not in generation.files:
            path.unlink(missing_ok=True)
    if not generation.files:
        from enrichment_assets.warehouse.compaction import forget  # DuckDB is with it, and few batches are removed

        forget(layout, [scope.batch_key])


def _download(bucket: Bucket, file: StoredFile, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    bucket.download(file.key, target)
    if _sha256(target) != file.sha256:
        raise InfrastructureError(
            f"{file.key} of the warehouse is not what was put there: its hash differs", code="warehouse.file_damaged"
        )
    os.utime(target, ns=(file.mtime_ns, file.mtime_ns))


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{uuid.uuid4().hex}{UNFINISHED_SUFFIX}")


def _is_as_stored(path: Path, file: StoredFile | None) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return file is not None and (found.st_size, found.st_mtime_ns) == (file.size, file.mtime_ns)


# opens files of ours: the home's
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files_of(layout: Layout, scope: Scope) -> list[Path]:
    """The copy's files of a scope."""
    if scope == EVERYTHING:
        columns = layout.root / "lead_columns.json"
        return [*sorted(layout.root.glob("analytics/*/all.parquet")), *([columns] if columns.exists() else [])]
    found = layout.root.glob(f"*/*/client_slug={scope.client_slug}/{scope.batch_key}.parquet")
    return sorted(path for path in found if scope.owns(str(path.relative_to(layout.root))))


def _noted(layout: Layout) -> dict[Scope, str]:
    """Which generation the copy has of what, by the digest of its manifest's etag; `unfinished`: of none."""
    folder = layout.root / "copies"
    names = [path.name.split("@") for path in folder.iterdir()] if folder.is_dir() else []
    return {Scope(name[0], name[1]): name[2] for name in names if len(name) == 3}


def _note(layout: Layout, scope: Scope, digest: str | None) -> None:
    """Note which generation the copy has from now on; None: nothing of it. A name without content, so one step."""
    folder = layout.root / "copies"
    folder.mkdir(parents=True, exist_ok=True)
    before = _noted(layout).get(scope)
    if before == digest:
        return
    if digest is None:
        (folder / f"{scope.batch_key}@{scope.client_slug}@{before}").unlink(missing_ok=True)
    elif before is None:
        (folder / f"{scope.batch_key}@{scope.client_slug}@{digest}").touch()
    else:
        kept = folder / f"{scope.batch_key}@{scope.client_slug}@{before}"
        kept.rename(kept.with_name(f"{scope.batch_key}@{scope.client_slug}@{digest}"))


def _digest(etag: str | None) -> str:
    return hashlib.sha256((etag or "").encode()).hexdigest()[:16]
