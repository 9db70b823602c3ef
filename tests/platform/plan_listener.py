"""A relay before a database that overhears the plan of every statement, whichever process asks it and how."""

from __future__ import annotations

import json
from typing import Any

import psycopg
from psycopg import sql

from tests.platform.wire_proxy import Relay

_NOTICE, _TEXT = b"N", b"M"


class PlanListener(Relay):
    """Context manager; `url` leads to the database, whose sessions tell what each node of each plan really did.

    Attributes:
        plans: As `auto_explain` gives them, in the order in which the statements ended.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.plans: list[dict[str, Any]] = []
        with psycopg.connect(url, autocommit=True) as connection:
            for name, value in {
                "session_preload_libraries": "auto_explain",
                "auto_explain.log_min_duration": "0",
                "auto_explain.log_analyze": "on",
                "auto_explain.log_timing": "off",
                "auto_explain.log_format": "json",
                "auto_explain.log_level": "notice",
                "client_min_messages": "notice",
            }.items():
                setting = sql.SQL("alter database {} set {} = {}")
                database = sql.Identifier(connection.info.dbname)
                connection.execute(setting.format(database, sql.Identifier(*name.split(".")), sql.Literal(value)))

    @property
    def url(self) -> str:
        """Without encryption, which nothing could be overheard of."""
        return f"{super().url}?sslmode=disable&gssencmode=disable"

    def overhear(self, unread: bytearray, data: bytes) -> None:
        """Take the messages that are whole; keep the rest for the next piece."""
        unread += data
        while len(unread) >= 5 and len(unread) > (size := int.from_bytes(unread[1:5])):
            if unread[:1] == _NOTICE:
                self._take(bytes(unread[5 : size + 1]))
            del unread[: size + 1]

    def _take(self, notice: bytes) -> None:
        for field in notice.split(b"\0"):
            if field[:1] == _TEXT and b"plan:\n" in field:
                self.plans.append(json.loads(field.partition(b"plan:\n")[2]))
