"""The kept bytes of uploads: copied aside while hashed, made durable, and only then given their name, read-only.

Where `ENRICH_UPLOADS` is an object store, the bytes are put there before anything names them, and what is in the folder
is a copy: made when a file comes in or is read, removed a day after it was last used.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from enrichment_assets.domain.errors import InfrastructureError, UploadRefusedError
from enrichment_assets.home import prepare_home
from enrichment_assets.objects.bucket import Bucket, NoSuchObjectError
from enrichment_assets.services.uploads.csv_files.encodings import EncodingScan
from enrichment_assets.settings import Settings, is_remote
from enrichment_assets.warehouse.files import put_in_place, sync

_CHUNK = 1 << 20
_COPY_SECONDS = 86_400


@dataclass(slots=True)
class KeptFile:
    """A copy under a temporary name; `keep()` gives it its final one. `durable`: done once the disk has its bytes."""

    path: Path
    final: Path
    sha256: str
    size: int
    scan: EncodingScan
    bucket: Bucket | None
    durable: Future[None]

    def keep(self) -> None:
        """Rename the copy to its hash, read-only, and make the new name durable. The same bytes stay as they are.

        Raises `InfrastructureError` when the copy cannot be made durable.
        """
        try:
            self.durable.result()
        except OSError as error:
            raise _not_copied(self.final.name, self.final.parent, error) from None
        self.path.chmod(0o400)
        self.path.replace(self.final)
        sync(self.final.parent)
        if self.bucket is not None:
            key = f"{self.final.parent.name}/{self.sha256}"
            if self.bucket.size(key) != self.size:
                self.bucket.put(key, self.final)


def kept_bytes(settings: Settings, client_slug: str, sha256: str) -> Path:
    """The file with the bytes of a client's upload; from an object store they are fetched if there is no copy here.

    Raises:
        InfrastructureError: They are gone, or the store cannot be reached.
        ConfigurationError: The store's address or credentials are wrong.
    """
    path, bucket = settings.uploads_dir / client_slug / sha256, _bucket(settings)
    if path.is_file():
        if bucket is not None:
            os.utime(path)
        return path
    if bucket is None:
        raise _gone(client_slug, str(path))
    prepare_home(settings.home)
    _remove_old_copies(settings)
    key = f"{client_slug}/{sha256}"
    try:
        with put_in_place(path) as unfinished:
            bucket.download(key, unfinished)
            with unfinished.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    raise InfrastructureError(
                        f"{bucket.url}/{key} is not what was uploaded: its hash differs", code="upload.bytes_damaged"
                    )
            unfinished.chmod(0o400)
    except NoSuchObjectError:
        raise _gone(client_slug, f"{bucket.url}/{key}") from None
    return path


def put_bytes(settings: Settings, client_slug: str, sha256: str, source: Path) -> None:
    """Keep a file of ours beside a client's uploads, durable, under the hash of its bytes.

    Raises `InfrastructureError` where an object store cannot be reached.
    """
    path, bucket = settings.uploads_dir / client_slug / sha256, _bucket(settings)
    with put_in_place(path) as unfinished:
        shutil.copyfile(source, unfinished)
        unfinished.chmod(0o400)
    if bucket is not None and bucket.size(f"{client_slug}/{sha256}") is None:
        bucket.put(f"{client_slug}/{sha256}", path)


def forget_bytes(settings: Settings, client_slug: str, sha256: str) -> None:
    """Remove the bytes of an upload that nothing names any more; other machines' copies go a day after their use."""
    if bucket := _bucket(settings):
        bucket.delete([f"{client_slug}/{sha256}"])
    (settings.uploads_dir / client_slug / sha256).unlink(missing_ok=True)


def _gone(client_slug: str, place: str) -> InfrastructureError:
    return InfrastructureError(
        f"the bytes of an upload of {client_slug} are gone: {place} is missing; upload it again",
        code="upload.bytes_gone",
    )


def _bucket(settings: Settings) -> Bucket | None:
    place = settings.uploads
    return Bucket.at(place, "ENRICH_UPLOADS") if place and is_remote(place) else None


def _remove_old_copies(settings: Settings) -> None:
    """What an object store has as well, and nobody here has read for a day."""
    for copy in settings.uploads_dir.glob("*/*"):
        with suppress(FileNotFoundError):
            if time.time() - copy.stat().st_mtime > _COPY_SECONDS:
                copy.unlink()


# opens files of others: uploads: regular files only, links of the inbox refused, bounded size
@contextmanager
def keep_aside(settings: Settings, source: Path, client_slug: str, *, follow: bool = True) -> Iterator[KeptFile]:
    """Copy `source` into the client's folder under a temporary name; without `keep()` the copy is removed again.

    `follow=False` takes no symbolic link: a file that somebody else put there may not stand for one of ours.

    Raises:
        UploadRefusedError: There is no such file, or it is larger than `settings.max_upload_bytes`.
        InfrastructureError: It cannot be read or the copy cannot be written (disk full, permissions).
    """
    bucket = _bucket(settings)
    if bucket is not None:
        _remove_old_copies(settings)
    incoming = _opened(source, follow)
    folder = settings.uploads_dir / client_slug
    try:
        prepare_home(settings.home)
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".incoming-", dir=folder)
    except OSError as error:
        os.close(incoming)
        raise InfrastructureError(
            f"cannot write to {folder}: {error.strerror}", code="upload.folder_not_writable"
        ) from None
    aside = Path(name)
    try:
        with ThreadPoolExecutor(1) as beside:
            yield _copy(source, incoming, handle, aside, folder, settings.max_upload_bytes, bucket, beside)
    finally:
        with suppress(FileNotFoundError):
            aside.unlink()


def _opened(source: Path, follow: bool) -> int:
    """A descriptor of a regular file. Nothing else is opened for reading: a pipe or device may wait for ever."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        descriptor = os.open(source, flags)
    except FileNotFoundError:
        raise UploadRefusedError("there is no such file", code="upload.no_such_file") from None
    except OSError as error:
        if error.errno == errno.ELOOP and not follow:
            raise UploadRefusedError(
                "it is a symbolic link: put the file itself there", code="upload.symbolic_link"
            ) from None
        raise InfrastructureError(f"cannot read {source}: {error.strerror}", code="upload.file_unreadable") from None
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    raise UploadRefusedError(
        "it is a folder" if stat.S_ISDIR(mode) else "it is no regular file", code="upload.no_regular_file"
    )


def _copy(
    source: Path,
    incoming_handle: int,
    handle: int,
    aside: Path,
    folder: Path,
    bound: int,
    bucket: Bucket | None,
    beside: Executor,
) -> KeptFile:
    """Copy, hash and look at the bytes in one pass; `beside` hashes them, and syncs them while they are counted."""
    digest, scan, size = hashlib.sha256(), EncodingScan(), 0
    hashed: Future[None] | None = None
    try:
        with open(incoming_handle, "rb") as incoming, open(handle, "wb") as copy:
            while chunk := incoming.read(_CHUNK):
                size += len(chunk)
                if size > bound:
                    raise UploadRefusedError(
                        f"it is larger than {bound:,} bytes; split it, or raise ENRICH_MAX_UPLOAD_BYTES",
                        code="upload.too_large",
                    )
                if hashed is not None:
                    hashed.result()
                hashed = beside.submit(digest.update, chunk)
                scan.feed(chunk)
                copy.write(chunk)
    except OSError as error:
        raise _not_copied(str(source), folder, error) from None
    if hashed is not None:
        hashed.result()
    sha256 = digest.hexdigest()
    return KeptFile(aside, folder / sha256, sha256, size, scan, bucket, beside.submit(sync, aside))


def _not_copied(what: str, folder: Path, error: OSError) -> InfrastructureError:
    return InfrastructureError(f"cannot copy {what} to {folder}: {error.strerror}", code="upload.not_copied")
