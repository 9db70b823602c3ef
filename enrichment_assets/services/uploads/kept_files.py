"""The kept bytes of uploads: copied aside while hashed, made durable, and only then given their name, read-only."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from enrichment_assets.domain.errors import InfrastructureError, UploadRefusedError
from enrichment_assets.home import prepare_home
from enrichment_assets.services.uploads.csv_files.encodings import EncodingScan
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse.files import sync

_CHUNK = 1 << 20


@dataclass(slots=True)
class KeptFile:
    """A durable copy under a temporary name; `keep()` gives it its final one."""

    path: Path
    final: Path
    sha256: str
    size: int
    scan: EncodingScan

    def keep(self) -> None:
        """Rename the copy to its hash, read-only, and make the new name durable. The same bytes stay as they are."""
        self.path.chmod(0o400)
        self.path.replace(self.final)
        sync(self.final.parent)


def kept_path(settings: Settings, client_slug: str, sha256: str) -> Path:
    """Where the bytes of a client's upload are."""
    return settings.uploads_dir / client_slug / sha256


# opens files of others: uploads: regular files only, links of the inbox refused, bounded size
@contextmanager
def keep_aside(settings: Settings, source: Path, client_slug: str, *, follow: bool = True) -> Iterator[KeptFile]:
    """Copy `source` into the client's folder under a temporary name; without `keep()` the copy is removed again.

    `follow=False` takes no symbolic link: a file that somebody else put there may not stand for one of ours.

    Raises:
        UploadRefusedError: There is no such file, or it is larger than `settings.max_upload_bytes`.
        InfrastructureError: It cannot be read or the copy cannot be written (disk full, permissions).
    """
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
        yield _copy(source, incoming, handle, aside, folder, settings.max_upload_bytes)
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


def _copy(source: Path, incoming_handle: int, handle: int, aside: Path, folder: Path, bound: int) -> KeptFile:
    digest, scan, size = hashlib.sha256(), EncodingScan(), 0
    try:
        with open(incoming_handle, "rb") as incoming, open(handle, "wb") as copy:
            while chunk := incoming.read(_CHUNK):
                size += len(chunk)
                if size > bound:
                    raise UploadRefusedError(
                        f"it is larger than {bound:,} bytes; split it, or raise ENRICH_MAX_UPLOAD_BYTES",
                        code="upload.too_large",
                    )
                digest.update(chunk)
                scan.feed(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
    except OSError as error:
        raise InfrastructureError(
            f"cannot copy {source} to {folder}: {error.strerror}", code="upload.not_copied"
        ) from None
    return KeptFile(aside, folder / digest.hexdigest(), digest.hexdigest(), size, scan)
