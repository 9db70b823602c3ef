"""What an object store holds of the warehouse: files under names of their own, and a manifest that says which count.

    manifests/<batch_key>/<client_slug>.json     the files of one batch
    manifests/ALL/all.json                       the files over all batches
    files/<batch_key or ALL>/<generation>/...    the files; none is ever written twice

All files of a batch change at once, by one swap of its manifest: who reads it before sees the generation before, who
reads it after the one after. An object that no manifest names any more stays for a while, for who has read an earlier
one; what a killed writer left is removed a day later by the next that publishes the batch.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.objects.bucket import Bucket, NoSuchObjectError, OvertakenError

ALL = "ALL"
"""Stands for the batch of what is over all batches; no batch key has capital letters."""

GRACE_SECONDS = 3_600.0
"""How long objects of an earlier generation stay."""

_ABANDONED = timedelta(days=1)
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Scope:
    """What is published as one: the files of a batch of a client, or those over all batches (`EVERYTHING`)."""

    batch_key: str
    client_slug: str

    @property
    def manifest_key(self) -> str:
        """Where the manifest is."""
        return f"manifests/{self.batch_key}/{self.client_slug}.json"

    def owns(self, path: str) -> bool:
        """Whether a path below the warehouse's folder is one of this scope: a manifest can name no other."""
        if self == EVERYTHING:
            return re.fullmatch(r"analytics/\w+/all\.parquet|lead_columns\.json", path) is not None
        folder, name = re.escape(self.client_slug), re.escape(self.batch_key)
        return re.fullmatch(rf"(sources|models)/\w+/client_slug={folder}/{name}\.parquet", path) is not None


EVERYTHING = Scope(ALL, "all")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a generation: under which key its bytes are, and what a copy of it has to look like."""

    key: str
    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Generation:
    """What a manifest says. `left`: keys of earlier generations, and since when (seconds) no manifest names them."""

    files: dict[str, StoredFile] = field(default_factory=dict)
    left: dict[str, float] = field(default_factory=dict)
    name: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def newest_ns(self) -> int:
        """When the newest file was written; 0: there is none."""
        return max((file.mtime_ns for file in self.files.values()), default=0)

    def followed_by(self, files: dict[str, StoredFile], name: str) -> Generation:
        """The next generation: these files, and what this one had and they do not, until its grace is over."""
        now, counts = time.time(), {file.key for file in files.values()}
        left = {key: since for key, since in self.left.items() if now - since < 2 * GRACE_SECONDS}
        left |= {file.key: now for file in self.files.values() if file.key not in counts}
        return Generation(files, left, name)

    def encoded(self) -> bytes:
        """As it stands in the store."""
        files = {
            path: {"key": one.key, "size": one.size, "mtime_ns": one.mtime_ns, "sha256": one.sha256}
            for path, one in self.files.items()
        }
        said = {"format": _FORMAT, "generation": self.name, "files": files, "left": self.left}
        return json.dumps(said, indent=1, sort_keys=True).encode()

    @classmethod
    def decoded(cls, scope: Scope, text: bytes) -> Generation:
        """The manifest of a scope. Raises `InfrastructureError` for what is none, or names files of another scope."""
        try:
            said = json.loads(text)
            files = {str(path): StoredFile(**one) for path, one in said["files"].items()}
            if said["format"] != _FORMAT or not all(scope.owns(path) for path in files):
                raise ValueError("of another format")
            return cls(files, dict(said["left"]), str(said["generation"]))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InfrastructureError(
                f"{scope.manifest_key} of the warehouse is no manifest that this version reads: {error}",
                code="warehouse.manifest_unreadable",
            ) from None


def current(bucket: Bucket, scope: Scope) -> tuple[Generation, str | None]:
    """The generation that counts now, with the manifest's etag; an empty one and None where nothing was published."""
    try:
        text, etag = bucket.read(scope.manifest_key)
    except NoSuchObjectError:
        return Generation(), None
    return Generation.decoded(scope, text), etag


# crash point: generation-is-swapped
def swap(bucket: Bucket, scope: Scope, new: Generation, expected: str | None) -> str:
    """Let a generation count, if the manifest still has this etag (None: there is none); the manifest's new one.

    Raises:
        OvertakenError: Somebody else has published meanwhile; nothing has changed.
    """
    try:
        return bucket.swap(scope.manifest_key, new.encoded(), expected)
    except OvertakenError:
        # An answer that was lost makes the client ask again, and then it is ourselves who was faster.
        there, etag = current(bucket, scope)
        if there.name != new.name or etag is None:
            raise
        return etag


def published(bucket: Bucket, batch_key: str | None, client_slug: str | None) -> dict[Scope, str]:
    """Every scope with a manifest, and the manifest's etag: all of them, of one batch or of one client."""
    listed = bucket.list("manifests" if batch_key is None else f"manifests/{batch_key}")
    if batch_key not in (None, ALL):
        listed += bucket.list(f"manifests/{ALL}")
    found = {Scope(*one.key.split("/")[-2:]): one.etag for one in listed if one.key.count("/") == 2}
    named = {Scope(scope.batch_key, scope.client_slug.removesuffix(".json")): etag for scope, etag in found.items()}
    return {s: etag for s, etag in named.items() if s == EVERYTHING or client_slug in (None, s.client_slug)}


# crash point: generations-are-swept
def sweep(bucket: Bucket, scope: Scope, now: Generation) -> list[str]:
    """Remove what counts no more: objects whose grace is over, and those of writers that died. Gives their keys."""
    counts = {file.key for file in now.files.values()}
    over = [key for key, since in now.left.items() if time.time() - since > GRACE_SECONDS]
    old = datetime.now(UTC) - _ABANDONED
    dead = [
        one.key
        for one in bucket.list(f"files/{scope.batch_key}")
        if one.key not in counts and one.key not in now.left and one.modified < old
    ]
    gone = [key for key in (*over, *dead) if key not in counts]
    bucket.delete(gone)
    return gone


def drop_others(bucket: Bucket, scope: Scope) -> None:
    """Remove every object of a scope that its manifest does not name, without waiting for whoever reads it."""
    generation, _ = current(bucket, scope)
    counts = {file.key for file in generation.files.values()}
    bucket.delete([one.key for one in bucket.list(f"files/{scope.batch_key}") if one.key not in counts])


def withdraw(bucket: Bucket, scope: Scope) -> None:
    """Remove a batch: first the manifest, so that nobody finds it, then its files."""
    bucket.delete([scope.manifest_key])
    bucket.delete([one.key for one in bucket.list(f"files/{scope.batch_key}")])
