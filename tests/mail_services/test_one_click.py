"""The link in a mail, over the wire: one click unsubscribes, looking does not, and strangers learn nothing."""

from __future__ import annotations

import re
from typing import Any

import httpx
import psycopg
import pytest

from enrichment_assets.domain.mail.opt_out import PATH, OptOut, opt_out_token
from enrichment_assets.domain.suppression import Hasher
from enrichment_assets.home import kept_secret
from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.settings import Settings

Hq = psycopg.Connection[dict[str, Any]]

CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def acme(hq: Hq) -> int:
    row = hq.execute("insert into clients (slug, name) values ('acme', 'Acme') returning id").fetchone()
    hq.commit()
    assert row is not None
    return int(row["id"])


def suppressed(hq: Hq) -> list[tuple[int, str, str, str]]:
    rows = hq.execute("select client_id, kind, reason, actor from suppressions order by id").fetchall()
    hq.commit()
    return [(row["client_id"], row["kind"], row["reason"], row["actor"]) for row in rows]


def test_one_click_unsubscribes_and_looking_does_not(settings: Settings, hq: Hq, acme: int) -> None:
    hasher = Hasher(kept_secret(settings.home, settings.suppression_pepper_file.name))
    token = opt_out_token(OptOut(acme, "ann.archer@example.com", "mail-1"), hasher)
    with (
        ReceiverProcess(settings, environment={"ENRICH_RECEIVER_GUESSES_BURST": "20"}) as receiver,
        httpx.Client(base_url=receiver.url, timeout=30) as http,
    ):
        page = http.get(PATH + token)
        assert page.status_code == 200
        assert "a***@example.com" in page.text and "ann.archer" not in page.text and token not in page.text
        assert 'name="List-Unsubscribe" value="One-Click"' in page.text and 'method="post"' in page.text
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "form-action 'self'" in policy and "unsafe" not in policy
        assert "<script" not in page.text and not re.search(r"https?://", page.text)
        assert "set-cookie" not in page.headers and page.headers["cache-control"] == "no-store"
        assert (page.headers["referrer-policy"], page.headers["x-content-type-options"]) == ("no-referrer", "nosniff")

        head = http.head(PATH + token)
        assert (head.status_code, head.content) == (200, b"")
        for body in ({}, {"List-Unsubscribe": "No"}, {"email": "ann.archer@example.com"}):
            assert http.post(PATH + token, data=body).status_code == 400
        assert http.post(PATH + token, content=b"x" * 20_000).status_code == 413
        for method in ("PUT", "DELETE", "OPTIONS", "PATCH"):
            answer = http.request(method, PATH + token)
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
        assert suppressed(hq) == [], "nothing of this was a click"

        answers = [http.post(PATH + token, data=CLICK) for _ in range(3)]
        assert {(a.status_code, a.text) for a in answers} == {(200, answers[0].text)}, "asked again, told the same"
        assert not any(a.is_redirect or "set-cookie" in a.headers for a in answers)
        told = "unsubscribed: told by unsubscribe-link"
        assert suppressed(hq) == [(acme, "email", told, "event:unsubscribe-link")]
        events = hq.execute("select kind, source, data from delivery_events").fetchall()
        assert [(row["kind"], row["source"], row["data"]["mail"]) for row in events] == [
            ("unsubscribed", "unsubscribe-link", "mail-1")
        ], "kept once"
        noted = hq.execute("select actor, action, client_id, after from operator_actions").fetchall()
        assert [(row["actor"], row["action"], row["client_id"]) for row in noted] == [
            ("event:unsubscribe-link", "suppression.add", acme)
        ], "written down once"
        assert "ann" not in str(noted[0]["after"])

        hq.execute("delete from suppressions")
        hq.commit()
        assert http.post(PATH + token, data=CLICK).status_code == 200
        assert len(suppressed(hq)) == 1, "who was let in again says no again by the same link"

        gone = opt_out_token(OptOut(acme + 999, "bob@example.com", "mail-2"), hasher)
        assert http.post(PATH + gone, data=CLICK).status_code == 200, "of a client that is gone nobody is written to"
        assert len(suppressed(hq)) == 1

        others = Hasher("a pepper of another house")
        wrong = [
            opt_out_token(OptOut(acme, "ann.archer@example.com", "mail-1"), others),
            token[:-4],
            f"{token}/",
            "x",
            "",
        ]
        told = {
            (a.status_code, a.text) for one in wrong for a in (http.get(PATH + one), http.post(PATH + one, data=CLICK))
        }
        assert [status for status, _ in told] == [404], "one page for all that is no link of ours"
        assert len(suppressed(hq)) == 1
        for _ in range(30):
            last = http.post(PATH + wrong[0], data=CLICK)
        assert last.status_code == 429 and int(last.headers["retry-after"]) >= 1
        assert http.post(PATH + token, data=CLICK).status_code == 200, "a guesser beside them keeps nobody out"


def test_a_click_that_could_not_be_kept_is_asked_for_again(settings: Settings, hq: Hq, acme: int) -> None:
    """The receiver has another pepper than the people who are suppressed: it could not recognise anybody."""
    pepper = kept_secret(settings.home, settings.suppression_pepper_file.name)
    hq.execute("update suppression_state set mark = %s", [Hasher("a pepper of another house").mark])
    hq.commit()
    token = opt_out_token(OptOut(acme, "ann@example.com", "mail-1"), Hasher(pepper))
    with ReceiverProcess(settings) as receiver:
        answer = httpx.post(receiver.url + PATH + token, data=CLICK, timeout=30)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        settings.suppression_pepper_file.unlink()
        assert httpx.get(receiver.url + PATH + token, timeout=30).status_code == 503, "no pepper: nothing can be told"
    assert suppressed(hq) == []
