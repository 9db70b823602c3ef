"""Messages are kept before they are acknowledged, and read from what was kept, as often as it takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import dagster as dg
import httpx
import psycopg
import pytest

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.outgoing import signed_headers
from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.sensors.events import event_sensor
from enrichment_assets.services.catalog.clients import add_client
from enrichment_assets.services.deliveries import readers, reading
from enrichment_assets.services.deliveries.connections import (
    add_connection,
    list_connections,
    list_events,
    list_messages,
    new_address,
    pause_connection,
    remove_connection,
    replay,
    show_message,
)
from enrichment_assets.services.deliveries.listening import listen
from enrichment_assets.services.deliveries.reading.webhook import moment
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.assets.conftest import platform
from tests.harness.handles import hq_of

SECRET = "whsec_" + "dGVzdC1zZWNyZXQtdGVzdC1zZWNyZXQtdGVzdA=="
OF_A_TOOL = {
    "kind": "event",
    "kinds": {"REPLY": "replied", "UNSUB": "unsubscribed", "MOVED": "status_changed"},
    "key": "id",
    "at": "ts",
    "address": "lead.email",
    "value": "stage",
}


class Desk:
    def __init__(self, settings: Settings, raw: psycopg.Connection[dict[str, Any]]) -> None:
        self.settings, self.hq, self._raw = settings, hq_of(settings), raw
        add_client(self.hq, "acme", "Acme", actor=TESTER)

    def add(self, name: str, **more: Any) -> str:
        given = {"settings": OF_A_TOOL, **more}
        added = add_connection(self.hq, "acme", name, given.pop("kind", "webhook"), actor=TESTER, **given)
        return added.path or ""

    def tick(self) -> str:
        with dg.DagsterInstance.ephemeral() as instance:
            context = dg.build_sensor_context(instance=instance, resources={"platform": platform(self.settings)})
            result = event_sensor(context)
        assert isinstance(result, dg.SkipReason)
        return result.skip_message or ""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        found = [tuple(row.values()) for row in self._raw.execute(query).fetchall()]
        self._raw.rollback()
        return found

    def events(self) -> list[tuple[str, str]]:
        return [(one.kind, one.key) for one in reversed(list_events(self.hq, client="acme"))]


@pytest.fixture
def desk(settings: Settings, hq: psycopg.Connection[dict[str, Any]]) -> Desk:
    return Desk(settings, hq)


@pytest.fixture
def http(settings: Settings) -> Iterator[httpx.Client]:
    with ReceiverProcess(settings) as receiver, httpx.Client(base_url=receiver.url, timeout=30) as client:
        yield client


def signed(body: bytes, name: str = "msg_1") -> dict[str, str]:
    return signed_headers(name, datetime.now(UTC), body, [SECRET])


def test_a_message_is_kept_then_acknowledged_and_a_stranger_is_not_believed(
    desk: Desk, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_SIGNING", SECRET)
    path = desk.add("acme-tool", secret_variable="ACME_SIGNING")
    assert desk.tick() == "nothing came back, and nobody is to be asked"
    body = json.dumps({"event": "UNSUB", "id": 7, "lead": {"email": "ann@acme.com"}}).encode()
    # A stranger is first with the very same bytes; whoever signs is heard all the same.
    assert http.post(path, content=body).status_code == 200
    first = http.post(path, content=body, headers=signed(body))
    assert (first.status_code, first.json()) == (200, {"status": "accepted"})
    again = http.post(path, content=body, headers=dict(first.request.headers))
    assert (again.status_code, again.json()) == (200, {"status": "already accepted"})
    assert desk.rows("select body, status from event_inbox order by id") == [(body, "new"), (body, "new")]
    assert http.get(path).status_code == 200, "looking takes nothing"
    assert [http.post(f"/events/{token}", content=b"{}").status_code for token in ("x" * 43, "short")] == [404, 404]
    assert http.post(path.replace("/events/", "/callbacks/"), content=body).status_code == 404
    assert desk.tick() == "1 messages read, 1 dead, 1 events"
    assert desk.events() == [("unsubscribed", "7")]
    assert desk.rows("select reason, actor from suppressions") == [
        ("unsubscribed: told by acme-tool", "event:acme-tool")
    ]
    (dead,) = list_messages(desk.hq, status=readers_dead())
    assert (dead.source, dead.error) == ("acme-tool", "it is not signed by the connection's secret")
    # Another address: the one before is nobody's.
    other = new_address(desk.hq, "acme-tool", actor=TESTER).path or ""
    assert [http.post(one, content=b"[]").status_code for one in (path, other)] == [404, 200]
    kept = "".join(str(row) for row in desk.rows("select row_to_json(s)::text from event_sources s"))
    assert path.rpartition("/")[2] not in kept and SECRET not in kept


def readers_dead() -> Any:
    from enrichment_assets.domain.statuses import EventInboxStatus

    return EventInboxStatus.DEAD


def keep(desk: Desk, name: str, *bodies: bytes) -> None:
    """Messages as the receiver leaves them."""
    for body in bodies:
        desk._raw.execute(
            "insert into event_inbox (client_id, source_id, headers, body, body_sha256, fingerprint) "
            "select client_id, id, '{}', %(b)s, sha256(%(b)s), sha256(%(b)s) from event_sources where name = %(n)s",
            {"b": body, "n": name},
        )
    desk._raw.commit()


def test_what_cannot_be_read_is_dead_and_read_again_when_its_reader_was_mended(desk: Desk) -> None:
    desk.add("acme-tool")
    several = [{"event": "REPLY", "id": "r1", "lead": {"email": "a@b.com"}}, {"event": "MOVED", "id": "m1"}, {"x": 1}]
    no_key = b'{"event": "NEW\\u0000", "id": "\\u0000"}'
    keep(desk, "acme-tool", json.dumps(several).encode(), b"no json", b"[1]", no_key)
    done = listen(desk.hq, desk.settings, 20.0)
    assert (done.read, done.dead, done.taken.new) == (1, 3, 3)
    # A status without the status is kept as noted; an event without an id is known by what it says.
    assert desk.events()[:2] == [("replied", "r1"), ("noted", "m1")]
    errors = [one.error for one in reversed(list_messages(desk.hq, source="acme-tool"))]
    assert errors[0] is None and errors[2:] == ["an event of it is no object", "the reader failed: ValueError"]
    assert (errors[1] or "").startswith("the message is no JSON")
    assert show_message(desk.hq, 2).rendered_body() == ("text", "no json")
    assert desk.rows("select count(*), max(inbox_id) from delivery_events") == [(3, 1)]
    assert replay(desk.hq, actor=TESTER, source="acme-tool") == [2, 3, 4]
    assert listen(desk.hq, desk.settings, 20.0).dead == 3
    assert replay(desk.hq, actor=TESTER, inbox_id=1, dead_only=False) == [1]
    assert listen(desk.hq, desk.settings, 20.0).taken.known == 3, "no event is taken twice"
    assert remove_connection(desk.hq, "acme-tool", actor=TESTER).name == "acme-tool"
    assert (desk.rows("select 1 from event_inbox"), len(desk.events())) == ([], 3), "events stay"


def test_messages_wait_while_their_secret_is_missing_or_the_connection_is_paused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_SIGNING", SECRET)
    desk.add("acme-tool", secret_variable="ACME_SIGNING")
    desk.add("acme-other")
    keep(desk, "acme-tool", b'{"event": "REPLY", "id": "1"}')
    keep(desk, "acme-other", b'{"event": "REPLY", "id": "2"}')
    monkeypatch.delenv("ACME_SIGNING")
    for _ in range(9):
        done = listen(desk.hq, desk.settings, 20.0)
        assert done.troubles == {"acme-tool": "the environment variable ACME_SIGNING is not set"}
    assert desk.events() == [("replied", "2")], "one connection holds up no other"
    (tool,) = [one for one in list_connections(desk.hq, client="acme") if one.name == "acme-tool"]
    assert (tool.unread, tool.dead, tool.error) == (1, 0, "the environment variable ACME_SIGNING is not set")
    pause_connection(desk.hq, "acme-tool", paused=True, actor=TESTER)
    assert desk.tick() == "nothing came back, and nobody is to be asked"
    with pytest.raises(NotFoundError, match="did you mean 'acme-tool'"):
        listen(desk.hq, desk.settings, 1.0, name="acme-tol")


POLLED = """
from enrichment_assets.domain.delivery_events import DeliveryEvent, EventKind
from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.services.deliveries.readers import Page, Reader

def read(message):
    yield DeliveryEvent(EventKind.NOTED, message.received_at, f"{message.polled}:{message.body.decode()}")

def poll(hq, settings, source, secret):
    at = (source.cursor or {}).get("page", 0)
    for page in range(at, at + 2):
        yield Page(f"page {page}", str(page).encode(), {"page": page + 1})
    if at >= 2:
        raise EnrichError("the service is away", code="test.away")

def unsigned(message):
    return False

READER = Reader("a service that is asked", read, unsigned, is_posted=False, poll=poll, poll_seconds=60)
"""


def test_a_service_that_is_asked_goes_on_from_the_last_page_that_was_kept(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "asked_tool.py").write_text(dedent(POLLED))
    monkeypatch.setattr(reading, "__path__", [*reading.__path__, str(tmp_path)])
    readers.kinds.cache_clear()
    assert desk.add("acme-asked", kind="asked_tool", settings={}) == "", "nothing is posted"
    assert desk.tick() == "2 messages read, 0 dead, 2 events"
    assert desk.tick() == "nothing came back, and nobody is to be asked", "not before its time"
    done = listen(desk.hq, desk.settings, 20.0, name="acme-asked")
    assert (done.read, done.troubles) == (2, {"acme-asked": "the service is away"})
    assert desk.rows("select cursor, error from event_sources") == [({"page": 4}, "the service is away")]
    assert desk.events() == [("noted", f"page {n}:{n}") for n in range(4)]
    readers.kinds.cache_clear()


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"kind": "webhok"}, "did you mean 'webhook'"),
        ({"settings": {"kind": "a", "kinds": {"x": "repled"}}}, "did you mean 'replied'"),
        ({"settings": {"kinds": {}}}, "say where an event's kind stands"),
        ({"settings": {"kind": "[", "kinds": {}}}, "no JMESPath"),
        ({"settings": {**OF_A_TOOL, "adress": "x"}}, "did you mean 'address'"),
        ({"secret_variable": "HQ_DATABASE_URL"}, "a setting of the platform"),
        ({"secret_variable": "ACME_NOT_SET"}, "is not set"),
        ({"poll_seconds": 60}, "is not asked"),
    ],
)
def test_a_connection_that_could_not_work_is_refused(desk: Desk, more: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        desk.add("acme-tool", **more)
    assert desk.rows("select 1 from event_sources") == []


# ISO 8601 with and without a zone, seconds (Slack, Stripe), milliseconds (ClickUp), text of them; what is no time.
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2026-11-29T04:05:06Z", "2026-11-29T04:05:06+00:00"),
        ("2026-11-29T04:05:06.789+02:00", "2026-11-29T04:05:06.789000+02:00"),
        ("2026-11-29 04:05:06", "2026-11-29T04:05:06+00:00"),
        (1764385506, "2025-11-29T03:05:06+00:00"),
        (1764385506000, "2025-11-29T03:05:06+00:00"),
        ("1764385506000", "2025-11-29T03:05:06+00:00"),
        ("yesterday", None),
        (0, None),
        (True, None),
        (None, None),
        ({"at": 1}, None),
    ],
)
def test_a_point_in_time_is_read_as_tools_write_it(said: Any, expected: str | None) -> None:
    found = moment(said)
    assert (None if found is None else found.isoformat()) == expected
