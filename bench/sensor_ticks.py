"""A tick of every sensor, in a process of its own: `python -m bench.sensor_ticks` prints seconds by sensor."""

from __future__ import annotations

import json
import time

import dagster as dg

from enrichment_assets.assets.instance import open_instance
from enrichment_assets.definitions import defs
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.settings import Settings

ROUNDS = 5


def main() -> None:
    """Evaluate each sensor some times with the cursor that it has at the beginning; the fastest counts."""
    found: dict[str, float] = {}
    repository = defs.get_repository_def()
    with open_instance(Settings.from_environment()) as instance:
        for sensor in repository.sensor_defs:
            seconds = []
            for _ in range(ROUNDS + 1):  # the first one opens connections
                context = dg.build_sensor_context(
                    instance=instance, repository_def=repository, resources={"platform": PlatformResource()}
                )
                began = time.perf_counter()
                sensor.evaluate_tick(context)
                seconds.append(time.perf_counter() - began)
            found[f"tick of {sensor.name}"] = min(seconds)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
