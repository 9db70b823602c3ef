"""A folder of a bucket, at `s3://` or `gs://`: bytes under keys, and a swap that one of two writers wins.

Credentials come from the environment by the names that the vendors' own tools use (`AWS_ACCESS_KEY_ID`,
`GOOGLE_APPLICATION_CREDENTIALS` ...), or from the machine's role; none is ever a setting of ours. obstore does the
requests; it is imported with the first one, so an installation on a local folder never loads it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from enrichment_assets.domain.errors import ConfigurationError, InfrastructureError

if TYPE_CHECKING:
    from obstore import UpdateVersion
    from obstore.store import ObjectStore

CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, for another vendor AWS_ENDPOINT_URL too",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
}
"""Scheme of an address -> the variables that say who we are there."""

_ADDRESS = re.compile(r"(s3|gs)://[A-Za-z0-9][A-Za-z0-9._-]*(/(?!\.\.?(/|$))[A-Za-z0-9._=-]+)*/?")
_READ_BYTES = 1 << 20
_CODE = re.compile(r"<Code>(\w+)</Code>")
_NOBODY = ("169.254.169.254", "metadata.google.internal", "Missing")
_NO_BUCKET = ("NoSuchBucket", "bucket does not exist")
_NOT_ALLOWED = (
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "service account",
    "401 Unauthorized",
    "403 Forbidden",
)


class OvertakenError(Exception):
    """Somebody else has put another object under the key meanwhile."""


class NoSuchObjectError(Exception):
    """There is nothing under the key (any more)."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing shows it: `etag` changes with its bytes, `modified` is by the store's clock."""

    key: str
    etag: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class Bucket:
    """A folder of a bucket. Keys are below the folder.

    Every method raises `ConfigurationError` where the address or the credentials are wrong, and `InfrastructureError`
    where the store cannot be reached or fails; both name the setting.

    Attributes:
        url: As it was configured.
        setting: The variable that says so.
    """

    url: str
    setting: str
    _store: ObjectStore = field(repr=False, compare=False)

    @classmethod
    def at(cls, url: str, setting: str) -> Bucket:
        """The folder of this address; nothing is asked of it yet."""
        if not _ADDRESS.fullmatch(url):
            raise ConfigurationError(
                f"{setting} is {url}: it takes a folder, `s3://bucket/folder` or `gs://bucket/folder`",
                code="objects.address_invalid",
            )
        said = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "GOOGLE_"))}
        with _told(url, setting):
            return cls(url, setting, _opened(url, frozenset(said.items())))

    def read(self, key: str) -> tuple[bytes, str]:
        """The bytes under a key, and their etag. Raises `NoSuchObjectError`."""
        import obstore

        with _told(self.url, self.setting):
            found = obstore.get(self._store, key)
            return bytes(found.bytes()), found.meta["e_tag"] or ""

    # opens files of ours: this machine's copies
    def download(self, key: str, target: Path) -> None:
        """Write the bytes under a key to a file, streaming. Raises `NoSuchObjectError`, and OSError of the disk."""
        import obstore

        with _told(self.url, self.setting):
            chunks = iter(obstore.get(self._store, key).stream(min_chunk_size=_READ_BYTES))
        with target.open("wb") as file:
            while True:
                with _told(self.url, self.setting):
                    chunk = next(chunks, None)
                if chunk is None:
                    return
                file.write(chunk)

    def size(self, key: str) -> int | None:
        """How many bytes are under a key; None: there is no such object."""
        import obstore

        try:
            with _told(self.url, self.setting):
                return int(obstore.head(self._store, key)["size"])
        except NoSuchObjectError:
            return None

    def put(self, key: str, content: bytes | Path) -> None:
        """Put bytes, or those of a file, under a key; whoever reads it sees all of them or what was there before."""
        import obstore

        with _told(self.url, self.setting):
            obstore.put(self._store, key, content)

    def swap(self, key: str, content: bytes, expected: str | None) -> str:
        """Put bytes under a key if what is there still has this etag (None: if nothing is there); the new etag.

        Raises:
            OvertakenError: It has another one.
        """
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        mode: Literal["create"] | UpdateVersion = "create" if expected is None else {"e_tag": expected}
        with _told(self.url, self.setting):
            try:
                return obstore.put(self._store, key, content, mode=mode)["e_tag"] or ""
            except (AlreadyExistsError, PreconditionError):
                raise OvertakenError(key) from None

    def list(self, prefix: str) -> list[Listed]:
        """All objects in a folder and below it."""
        import obstore

        with _told(self.url, self.setting):
            found = [one for chunk in obstore.list(self._store, prefix) for one in chunk]
        return [Listed(one["path"], one["e_tag"] or "", one["last_modified"]) for one in found]

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; one that is gone already is no error."""
        import obstore

        with _told(self.url, self.setting):
            for key in keys:
                try:
                    obstore.delete(self._store, key)
                except FileNotFoundError:
                    continue


@lru_cache(maxsize=8)
def _opened(url: str, said: frozenset[tuple[str, str]]) -> ObjectStore:
    """The client of an address for the variables as they are: it keeps connections, and tokens that it was given."""
    from obstore.store import from_url

    options: dict[str, Any] = {"connect_timeout": "10s", "timeout": "300s"}
    if is_plain_http(dict(said)):  # AWS_ALLOW_HTTP is not looked at where any client option is given
        options["allow_http"] = True
    retries = {"max_retries": 4, "retry_timeout": timedelta(seconds=60)}
    return from_url(url, client_options=options, retry_config=retries)  # type: ignore[call-overload, no-any-return]


def _refuse_after_fork() -> None:
    """Raise where this process was forked from one that has asked a store: the client's threads are not here.

    obstore would wait for them for ever.
    """
    global _asked_by
    _asked_by = _asked_by or os.getpid()
    if _asked_by != os.getpid():
        raise InfrastructureError(
            "this process was forked from one that has used the object store: start it anew", code="objects.forked"
        )


_asked_by: int | None = None
"""The process whose threads do the requests."""


def is_plain_http(environment: Mapping[str, str]) -> bool:
    """Whether the environment names a store without TLS, by a URL that says so."""
    endpoints = (environment.get("AWS_ENDPOINT_URL_S3"), environment.get("AWS_ENDPOINT_URL"))
    return any((endpoint or "").lower().startswith("http://") for endpoint in endpoints)


@contextmanager
def _told(url: str, setting: str) -> Iterator[None]:
    """Errors of the store in our words. Theirs repeat requests, and an answer may repeat the key's id."""
    from obstore.exceptions import BaseError

    _refuse_after_fork()
    try:
        yield
    except FileNotFoundError as error:
        if any(words in str(error) for words in _NO_BUCKET):
            raise _no_bucket(url, setting) from None
        raise NoSuchObjectError(url) from None
    except BaseError as error:
        raise _in_our_words(url, setting, str(error)) from None


def _no_bucket(url: str, setting: str) -> ConfigurationError:
    return ConfigurationError(f"{setting} is {url}: there is no such bucket", code="objects.no_bucket")


def _in_our_words(url: str, setting: str, text: str) -> ConfigurationError | InfrastructureError:
    names = CREDENTIALS[url.partition(":")[0]]
    if any(words in text for words in _NO_BUCKET):
        return _no_bucket(url, setting)
    if any(words in text for words in _NOBODY):
        return ConfigurationError(
            f"{setting} is {url}, and there are no credentials for it: set {names}", code="objects.no_credentials"
        )
    if any(words in text for words in _NOT_ALLOWED):
        code = _CODE.search(text)
        said = f" ({code[1]})" if code else ""
        return ConfigurationError(
            f"{setting} is {url}, and the store refuses the credentials{said}: look at {names}, and at what that "
            "account may do there",
            code="objects.refused",
        )
    return InfrastructureError(
        f"{setting} is {url}, and the store does not answer as it should: {_reason(text)}", code="objects.unreachable"
    )


def _reason(text: str) -> str:
    """The store's error code, or the last part of the first line of what went wrong."""
    if code := _CODE.search(text):
        return code[1]
    first = text.splitlines()[0] if text else "no reason given"
    return first.rpartition(" - ")[2].partition(": <")[0][:200]
