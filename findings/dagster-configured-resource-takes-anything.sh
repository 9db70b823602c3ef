#!/usr/bin/env bash
# Expected: `.configured({})` closes a Dagster resource: it keeps the values that the object was built with, and run
#           configuration that names a field is refused, as it is for an asset's or a job's configuration.
# Happens:  the values of a ConfigurableResource instance are dropped (its fields are their defaults again), and run
#           configuration is accepted in silence, whatever it holds. What closes a resource is a ResourceDefinition with
#           the empty schema `config_schema={}`: that refuses every field and keeps the object.
# Seen with dagster 1.13.27.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet dagster==1.13.27
cat > "$folder/look.py" <<'PY'
import warnings

import dagster as dg

warnings.simplefilter("ignore")
seen = []


class Place(dg.ConfigurableResource):
    folder: str = "default"


@dg.asset(required_resource_keys={"place"})
def look(context) -> None:
    seen.append(context.resources.place.folder)


def tried(resource, config):
    with dg.instance_for_test() as instance:
        try:
            dg.materialize([look], resources={"place": resource}, run_config=config, instance=instance)
        except dg.DagsterInvalidConfigError:
            return "refused"
    return seen[-1]


other = {"resources": {"place": {"config": {"folder": "from the run"}}}}
nonsense = {"resources": {"place": {"config": {"no such field": 1}}}}
place = Place(folder="built with")
configured = place.get_resource_definition().configured({})
closed = dg.ResourceDefinition(resource_fn=lambda _: place, config_schema={})

found = [tried(configured, c) for c in ({}, other, nonsense)] + [tried(closed, c) for c in ({}, other, nonsense)]
print("configured({}):", found[:3])
print("config_schema={}:", found[3:])
assert found == ["default", "default", "default", "built with", "refused", "refused"], found
PY
"$folder/venv/bin/python" "$folder/look.py" 2>/dev/null
echo "OK: configured({}) drops the resource's values and takes any run configuration"
