"""The editor of workflows: who saves has seen what they replace."""

from __future__ import annotations

import re
from threading import Barrier, Thread

import pytest

from enrichment_assets.domain.versions import ChangedMeanwhileError, Seen
from enrichment_assets.services.catalog.configuration import add_workflow, get_workflow
from enrichment_assets.web.console.handlers.workflows import starters
from tests.actors import TESTER
from tests.console.conftest import Desk

EDITOR = "/workflow-editor"


def began(page: str) -> dict[str, str]:
    return dict(re.findall('name="(began|seen)" value="([^"]*)"', page))


async def test_a_workflow_that_somebody_else_saved_meanwhile_is_not_written_over(desk: Desk) -> None:
    text = starters()["review"]
    (slug,) = re.findall(r"^slug: (\S+)", text, re.MULTILINE)
    titled = [re.sub(r"^title: .*$", f"title: {name}", text, flags=re.MULTILINE) for name in ("One", "Ada", "Ben")]
    async with desk.http() as http:

        async def save(text: str, **more: str) -> tuple[int, str]:
            answer = await http.post(EDITOR, data={"text": text, "action": "save", **more})
            return answer.status_code, answer.text

        first = await save(titled[0])
        assert first[0] == 303, re.findall("<li.*?</li>", first[1])
        page = (await http.get(EDITOR, params={"workflow": slug})).text
        assert (await save(titled[1], **began(page)))[0] == 303
        late, said = await save(titled[2], **began(page))
        blind, _ = await save(titled[2])  # begun from a template, under a slug that is taken
        assert (late, blind) == (412, 412)
        assert get_workflow(desk.hq, slug).definition.title == "Ada"
        assert "Somebody else was faster" in said
        assert "-title: Ada" in said
        assert "+title: Ben" in said
        assert (await save(titled[2], **began(said)))[0] == 303
    assert get_workflow(desk.hq, slug).definition.title == "Ben"


async def test_every_text_to_begin_with_can_be_saved_as_it_stands(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENRICH_SECRET_NAMES")
    assert {"http", "webhook", "prompt", "review", "delivery"} <= starters().keys()
    async with desk.http() as http:
        for kind, text in starters().items():
            answer = await http.post(EDITOR, data={"text": text, "action": "check"})
            assert "nothing is wrong with it" in answer.text.lower(), (kind, re.findall("<li.*?</li>", answer.text))


@pytest.mark.parametrize("turn", range(3))
def test_of_two_who_save_at_once_one_is_told(desk: Desk, turn: int) -> None:
    before = get_workflow(desk.hq, "normalise-name")
    gate, told = Barrier(2), []

    def save(name: str) -> None:
        changed = before.definition.model_copy(update={"title": f"{name} {turn}"})
        gate.wait()
        try:
            add_workflow(desk.hq, desk.settings, changed, actor=TESTER, seen=Seen.version(before.seen_as))
        except ChangedMeanwhileError:
            told.append(name)

    threads = [Thread(target=save, args=(name,)) for name in ("Ada", "Ben")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(told) == 1
    assert get_workflow(desk.hq, "normalise-name").definition.title == f"{'Ben' if told == ['Ada'] else 'Ada'} {turn}"
