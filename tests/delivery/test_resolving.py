"""What nobody but a person can know of a delivery is said by one, and written down."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from enrichment_assets.domain.errors import ConfigurationError, EnrichError, NotFoundError
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.resolving import (
    Decision,
    get_delivery,
    list_deliveries,
    resolve_delivery,
    stop_delivery,
)
from enrichment_assets.services.operations.history import list_history
from tests.actors import TESTER
from tests.delivery.crm import contacts
from tests.delivery.test_delivering import finished, lossy, people, sent
from tests.harness.batches import BatchHarness
from tests.harness.handles import hq_of


def test_a_call_of_unknown_fate_is_ended_by_a_person_and_what_is_stopped_or_gone_goes_by_their_word(
    harness: BatchHarness,
) -> None:
    hq = hq_of(harness.settings)
    add_workflow(hq, harness.settings, lossy("to-crm", {"target": "x"}), actor=TESTER)
    batch = finished(harness, people("Ann", "Bob"))
    sent(batch, "to-crm")
    ann, bob = sorted(list_deliveries(hq, client="acme", batch=batch.key), key=lambda one: one.item_id)
    assert [(one.lead, one.state) for one in (ann, bob)] == [("Ann Archer", "unknown"), ("Bob Archer", "unknown")]
    assert [(call.state, call.http_status) for call in get_delivery(hq, ann.id).calls] == [("ambiguous", None)]

    number = next(one["id"] for one in contacts(harness.sandbox) if one["key"] == ann.key)
    done = resolve_delivery(hq, ann.id, Decision.DELIVERED, actor=TESTER, external_id=number)
    assert (done.state, done.external_id, done.written) == (
        "delivered",
        number,
        {"Email": "ann@acme.com", "Name": "Ann Archer"},
    )
    assert (batch.state("to-crm", 1)["status"], batch.state("to-crm", 1)["outcome"]) == ("COMPLETED", "found")
    assert resolve_delivery(hq, bob.id, Decision.NOT_DELIVERED, actor=TESTER).state == "refused"
    assert batch.state("to-crm", 2)["status"] == "PENDING"
    after = sent(batch, "to-crm").plans[0]
    assert (after.created, dict(after.left)) == (1, {"unchanged": 1})
    assert len(contacts(harness.sandbox)) == 3, "the first of Bob's was lost, and somebody said that it was not made"

    stopped = stop_delivery(hq, ann.id, "left the company", actor=TESTER)
    assert stopped.state == "stopped"
    changed = finished(harness, [{**people("Ann")[0], "phone": "+12125550123"}])
    refused = sent(changed, "to-crm").plans[0].refused
    assert list(refused) == [f"stopped: left the company ({TESTER})"]
    assert resolve_delivery(hq, ann.id, Decision.AGAIN, actor=TESTER).state == "delivered"
    assert sent(changed, "to-crm").plans[0].updated == 1

    wrong: dict[str, Callable[[], object]] = {
        "delivery.another_state": lambda: resolve_delivery(hq, ann.id, Decision.DELIVERED, actor=TESTER),
        "delivery.id_without_delivery": lambda: resolve_delivery(
            hq, ann.id, Decision.AGAIN, actor=TESTER, external_id="7"
        ),
        "delivery.no_reason": lambda: stop_delivery(hq, ann.id, " ", actor=TESTER),
        "delivery.no_such_row": lambda: get_delivery(hq, 4711),
    }
    for code, attempt in wrong.items():
        with pytest.raises((ConfigurationError, NotFoundError)) as refusal:
            attempt()
        assert isinstance(refusal.value, EnrichError) and refusal.value.code == code
    actions = [row.action for row in list_history(hq, limit=20) if row.action.startswith("delivery.")]
    assert actions[::-1] == [
        "delivery.start", "delivery.resolve", "delivery.resolve", "delivery.start", "delivery.stop", "delivery.start",
        "delivery.resolve", "delivery.start",
    ]  # fmt: skip
