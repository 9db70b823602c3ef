"""The sensor tells what its rules find, and starts nothing."""

from __future__ import annotations

import dagster as dg
import pytest

from enrichment_assets.code_location import build_definitions
from enrichment_assets.domain.alerts.kinds import Kind
from enrichment_assets.sensors.alerts import alert_sensor
from enrichment_assets.services.operations.holding import pause
from tests.actors import TESTER
from tests.alerts.watch import Watch
from tests.assets.conftest import platform
from tests.harness.batches import people, step


def test_a_tick_tells_what_its_rules_find_once_and_starts_nothing(
    watched: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    batch = watched.harness.launch(people(1), step("find"))
    pause(watched.hq, batch.key, reason="", actor=TESTER)
    where = platform(watched.settings)
    with dg.instance_for_test() as instance:
        context = dg.build_sensor_context(
            instance=instance, definitions=build_definitions([], where), resources={"platform": where}
        )
        assert isinstance(alert_sensor(context), dg.SkipReason)
        assert watched.texts() == []
        watched.rule(Kind.BATCH_PAUSED)
        assert isinstance(alert_sensor(context), dg.SkipReason)
        assert isinstance(alert_sensor(context), dg.SkipReason)
    assert watched.texts() == [f"Warning: acme: batch {batch.key} was paused by {TESTER}"]
    assert "secret-of-slack" not in caplog.text
