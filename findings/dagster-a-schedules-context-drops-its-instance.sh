#!/usr/bin/env bash
# Dagster (1.13.27): the context that is built for a schedule drops an instance in memory, that for a sensor keeps it.
#
# Expected: `build_schedule_context(instance)` and `build_sensor_context(instance)` hand the same instance on.
# Seen: of an ephemeral instance the schedule's context has none. Nothing is said when it is built; `context.instance` fails
# only in the body, with "no instance reference was provided", although one was. A schedule that looks for runs under way
# can so be tried with an instance on disk alone.
#
# Ours: what a schedule asks for is a function of the instance (`sensors/phases.py`, runs_of_phase); the schedule only calls
# it (tests/systems/test_phases.py).
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dagster==1.13.27
DAGSTER_DISABLE_TELEMETRY=1 "$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import dagster as dg


@dg.op
def work():
    pass


@dg.job
def enrich():
    work()


@dg.schedule(job=enrich, cron_schedule="0 * * * *")
def hourly(context):
    return dg.SkipReason(f"{len(context.instance.get_runs())} runs")


@dg.sensor(job=enrich)
def looking(context):
    return dg.SkipReason(f"{len(context.instance.get_runs())} runs")


print("dagster", dg.__version__)
with dg.DagsterInstance.ephemeral() as in_memory:
    print("sensor, in memory:", looking(dg.build_sensor_context(in_memory)).skip_message)
    context = dg.build_schedule_context(in_memory)
    try:
        hourly(context)
    except dg.DagsterInvariantViolationError as error:
        print("schedule, in memory:", error)
        assert "no instance reference was provided" in str(error)
    else:
        raise SystemExit("the schedule saw the instance")
with dg.DagsterInstance.local_temp(sys.argv[1]) as on_disk:
    print("schedule, on disk:", hourly(dg.build_schedule_context(on_disk)).skip_message)
PYTHON
echo "OK: a schedule's context has no instance where it was given one in memory"
