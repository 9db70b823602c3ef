"""The sensor by which the daemon sends."""

from __future__ import annotations

import dagster as dg

from enrichment_assets.sensors.webhooks import webhook_sensor
from tests.assets.conftest import platform
from tests.webhooks.conftest import Desk


def tick(desk: Desk) -> str:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, resources={"platform": platform(desk.settings)})
        result = webhook_sensor(context)
    assert isinstance(result, dg.SkipReason)
    return result.skip_message or ""


def test_the_sensor_sends_within_its_tick_starts_no_run_and_says_what_came_of_it(desk: Desk) -> None:
    assert tick(desk) == "nobody is to be told of anything"
    desk.add()
    desk.event(batch="acme-1")
    assert tick(desk) == "1 events, 1 messages arrived, 0 attempts did not"
    assert len(desk.taken()) == 1
    assert tick(desk) == "nobody is to be told of anything"
    assert webhook_sensor.default_status is dg.DefaultSensorStatus.RUNNING and not webhook_sensor.targets
