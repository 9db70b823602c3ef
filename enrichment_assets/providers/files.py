"""Files in a folder: leads as CSV, NDJSON or Parquet, for whoever collects them there.

The folder of all drops is named by a variable (`FILE_DROP_FOLDER`): an absolute path, `s3://bucket/folder` or
`gs://bucket/folder`. A workflow says where below it, and can go nowhere else. One call is one file, whole or not there
at all, named by its content: the same leads once more are the same file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from enrichment_assets.domain.crm.values import in_order
from enrichment_assets.domain.dropped_files import FORMATS, file_of, named
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.http_answers import classify_status, describe, error_body
from enrichment_assets.domain.jsontext import json_bytes, parse_json
from enrichment_assets.domain.provider import Answer, Conversation, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url
from enrichment_assets.domain.statuses import ErrorClass

_JSON = {"content-type": "application/json"}
_SCHEMES = ("s3", "gs")


class Files(Provider):
    """Files that are dropped; a workflow's address is `file:///a/folder/and-a-name`, below the folder of all drops."""

    name = "files"
    title = "Files in a folder"
    own_address = True
    schemes = ("file",)
    secrets = (Secret("folder", "FILE_DROP_FOLDER"),)
    key_word = "FILE_DROP"
    billing = "nothing"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """The request at the folder of all drops, or at the simulator.

        Raises:
            ConfigurationError: The variable names no folder.
        """
        if base_url.startswith(("http://", "https://")):
            return replace(request, url=join_url(base_url, urlsplit(request.url).path or request.url))
        return replace(request, url=f"{_root(secrets['folder'])}{urlsplit(request.url).path}")

    def conversation(self, request: RenderedRequest, secrets: Mapping[str, str]) -> Conversation:
        """One file of all rows."""
        return _dropped(request, secrets["folder"])

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """A folder that cannot be written to stops all, as a key that is refused does."""
        if answer.status == 403:
            said = str(error_body(answer).get("error") or "the folder of FILE_DROP_FOLDER cannot be written to")
            return Verdict(ErrorClass.AUTH, message=describe(403, said))
        return classify_status(answer)

    def simulated_path(self, url: str, *, is_poll: bool) -> str | None:
        """The same path at the simulator, which keeps files in memory."""
        return urlsplit(url).path


def _root(folder: str) -> str:
    """The address of the folder of all drops, without a slash at its end."""
    scheme = folder.partition("://")[0]
    if scheme in _SCHEMES:
        return folder.rstrip("/")
    if folder.startswith("/"):
        return f"file://{quote(folder.rstrip('/'))}"
    raise ConfigurationError(
        "FILE_DROP_FOLDER has to be an absolute path, `s3://bucket/folder` or `gs://bucket/folder`",
        code="file_drop.root_invalid",
    )


def _dropped(request: RenderedRequest, folder: str) -> Conversation:
    told = parse_json(request.content or b"")
    if not isinstance(told, dict) or not isinstance(told.get("rows"), list):
        raise ConfigurationError("files: the body has to say `format` and `rows`", code="file_drop.no_rows")
    format = str(told.get("format") or "csv")
    rows = [_row(one, told.get("key_column")) for one in in_order(told["rows"])]
    content = file_of(rows, format, [str(one) for one in told.get("columns") or ()])
    base, path = _parted(request.url, folder)
    name = named(path, content, format)
    headers = {"content-type": FORMATS[format]}
    answer = yield RenderedRequest("PUT", f"{base}/{quote(name)}", headers, content=content)
    if not 200 <= answer.status < 300:
        return answer
    results = [{"key": one["key"], "file": name} for one in told["rows"]]
    return Answer(200, _JSON, json_bytes({"file": name, "results": results}))


def _row(told: Mapping[str, Any], key_column: Any) -> dict[str, Any]:
    """What a row of the file has: our key, and all that the lead says by now, changed or not."""
    cells = {**(told.get("previous") or {}), **(told.get("cells") or {})}
    return {str(key_column): told["key"], **cells} if key_column else cells


def _parted(url: str, folder: str) -> tuple[str, str]:
    """The folder of all drops, and what the workflow says below it."""
    if url.startswith(("http://", "https://")):
        base, _, path = url.partition(f"/{Files.name}/")
        return f"{base}/{Files.name}", unquote(path)
    root = _root(folder)
    return root, unquote(url.removeprefix(root))
