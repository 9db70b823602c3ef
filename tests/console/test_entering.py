"""Logging in and out, and where that leads."""

from __future__ import annotations

import httpx
import pytest

from enrichment_assets.domain.access import Role
from enrichment_assets.services.access import users
from enrichment_assets.web.console.handlers.entering import own_path
from enrichment_assets.web.site import build_site
from tests.access.office import PASSWORD
from tests.actors import TESTER
from tests.console.conftest import ORIGIN, Desk


async def test_who_is_not_known_is_asked_at_the_same_address_and_comes_back_to_it(desk: Desk) -> None:
    app = build_site(desk.hq, desk.settings, [ORIGIN])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=ORIGIN, headers={"origin": ORIGIN}
    ) as http:
        asked = await http.get("/batches?limit=5")
        assert asked.status_code == 401
        assert 'name="to" value="/batches?limit=5"' in asked.text
        wrong = await http.post("/login", data={"login": "ada", "password": "something else", "to": "/batches"})
        assert wrong.status_code == 401
        assert 'value="ada"' in wrong.text
        assert "something else" not in wrong.text
        done = await http.post("/login", data={"login": "ada", "password": PASSWORD, "to": "/batches?limit=5"})
        assert (done.status_code, done.headers["location"]) == (303, "/batches?limit=5")
        cookie = done.headers.get_list("set-cookie")[0]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert (await http.get("/batches?limit=5")).status_code == 200
        form = {"content-type": "application/x-www-form-urlencoded"}  # which browsers send with an empty form too
        out = await http.post("/logout", headers=form)
        assert out.status_code == 303
        assert (await http.get("/batches")).status_code == 401


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/x\r\nset-cookie: a=b", "/" * 3000],
)
def test_a_way_that_leads_to_another_site_leads_home(path: str) -> None:
    assert own_path(path) == "/"


async def test_what_there_is_no_page_for_says_so_and_names_nothing(desk: Desk) -> None:
    async with desk.http() as http:
        for path, status in (("/nothing", 404), ("/static/../site.py", 404), ("/static/", 404), ("/batches/", 404)):
            answer = await http.get(path)
            assert answer.status_code == status, path
            assert "Traceback" not in answer.text
        assert (await http.get("/api/v1/nothing")).json()["code"] == "route.not_found"
        assert (await http.get("/static/console.js")).status_code == 200
        assert (await http.get("/health")).text == "ok"


async def test_who_comes_by_the_first_link_is_told_their_login_and_where_to_begin(desk: Desk) -> None:
    made = users.add_user(desk.hq, "first", Role.OWNER, actor=TESTER)
    async with desk.http() as http:
        wrong = await http.post("/password", data={"token": made.token, "password": "short"})
        assert wrong.status_code == 422
        done = (await http.post("/password", data={"token": made.token, "password": PASSWORD})).text
        assert "The password of first is set" in done
        assert 'name="login" value="first"' in done
        home = (await http.get("/")).text
        assert "How to begin" in home
        short = {"name": "Müller & Söhne, 2. Lager"}
        added = await http.post("/clients", data=short)
        assert added.headers["location"] == "/clients/muller-sohne-2-lager?said=client-added"
        assert (await http.post("/clients", data={"name": "日本"})).status_code == 422
        assert (await http.post("/clients", data={"name": "日本", "slug": "nihon"})).status_code == 303
