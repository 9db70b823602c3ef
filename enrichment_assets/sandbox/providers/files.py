"""A folder that files are dropped into: `PUT /files/{path}` keeps one, `GET` shows it, `GET /files/` lists them."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path


class Files(SimulatedProvider):
    """Everything below `/files/`."""

    name = "files"
    price = Decimal(0)
    needs_key: ClassVar[bool] = False

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def question(self, call: Call) -> Question:
        """Keep a file, show one, or list all."""
        path = call.path.strip("/")
        if call.method == "PUT" and path:
            return Question("drop", path, lambda: self._keep(path, call.body))
        if call.method == "GET" and path in self.kept:
            return Question("read", path, lambda: Reply(200, self.kept[path], content_type="application/octet-stream"))
        if call.method == "GET" and not path:
            return Question("list", path, lambda: json_reply(200, {"files": sorted(self.kept)}))
        raise Refusal(no_such_path(call).reply)

    def _keep(self, path: str, content: bytes) -> Reply:
        is_new = path not in self.kept
        self.kept[path] = content
        return json_reply(201 if is_new else 200, {})
