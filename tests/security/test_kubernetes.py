"""The manifests: valid by Kubernetes' own schemas, little rights, keys where calls are made, closed networks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from enrichment_assets.domain.variables import is_own_variable

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy/kubernetes").glob("[0-9]*.yaml"))
LAUNCHER = ROOT / "deploy/kubernetes-launcher"
LAUNCHER_FILES = [LAUNCHER / "rights.yaml", LAUNCHER / "network-policies.yaml"]
OBJECTS: list[dict[str, Any]] = [
    one for path in FILES for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one
]
DEPLOYMENTS = {one["metadata"]["name"]: one["spec"] for one in OBJECTS if one["kind"] == "Deployment"}
PODS = {name: spec["template"]["spec"] for name, spec in DEPLOYMENTS.items()}
CONTAINERS = {name: pod["containers"][0] for name, pod in PODS.items()}
COMPOSE = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
VERSIONS = ["1.31", "1.34", "1.37"]
"""The oldest that clouds still run, one between, the newest that the package has schemas of."""


def _named(kind: str, name: str) -> dict[str, Any]:
    return next(one for one in OBJECTS if one["kind"] == kind and one["metadata"]["name"] == name)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid_by_the_schemas_of_kubernetes(version: str) -> None:
    launchers = [one for path in LAUNCHER_FILES for one in yaml.safe_load_all(path.read_text())]
    assert (len(OBJECTS) >= 16, len(launchers)) == (True, 5)
    for one in OBJECTS + launchers:
        kubernetes_validate.validate(one, version, strict=True)


def test_the_schemas_find_what_is_wrong() -> None:
    wrong = {**_named("Deployment", "receiver"), "spec": {"replicas": "two"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_the_same_processes_run_as_in_the_compose_file_with_the_same_commands() -> None:
    ours = {name: name for name in ("webserver", "console", "daemon", "receiver")} | {"code-location": "code-server"}
    assert ours.keys() == CONTAINERS.keys()
    for name, theirs in ours.items():
        words = " ".join(CONTAINERS[name]["command"]).replace("/etc/enrich/", "/opt/dagster/")
        assert words == " ".join(COMPOSE[theirs]["command"].split()), name


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_pod_is_read_only_not_root_and_has_no_rights(name: str) -> None:
    pod, container = PODS[name], CONTAINERS[name]
    assert len(pod["containers"]) == 1
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001, "the account of the image"
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
    assert "memory" in container["resources"]["limits"]
    assert "livenessProbe" in container
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert {"/tmp", "/var/lib/enrich"} <= mounted, "what the platform writes to"


def test_only_the_pod_that_makes_calls_has_the_providers_keys_and_no_secret_is_written_down() -> None:
    with_keys = [n for n, c in CONTAINERS.items() if {"secretRef": {"name": "enrich-providers"}} in c["envFrom"]]
    assert with_keys == ["code-location"]
    assert not [one for one in OBJECTS if one["kind"] == "Secret"]
    settings = _named("ConfigMap", "enrich-settings")["data"]
    assert [name for name in settings if not is_own_variable(name)] == ["AWS_REGION"]
    assert not any(re.search(r"://[^/@]*:[^/@]*@", value) for value in settings.values())
    assert all(settings[name].startswith("s3://") for name in ("ENRICH_UPLOADS", "ENRICH_WAREHOUSE"))


def test_there_is_one_daemon_and_one_code_location_also_during_an_update() -> None:
    for name in ("daemon", "code-location"):
        assert DEPLOYMENTS[name]["replicas"] == 1
        assert DEPLOYMENTS[name]["strategy"] == {"type": "Recreate"}
    assert DEPLOYMENTS["receiver"]["replicas"] >= 2


def test_nothing_is_reached_unless_a_policy_says_so() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in OBJECTS if one["kind"] == "NetworkPolicy"}
    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    outside = [name for name, spec in policies.items() if "ipBlock" in str(spec)]
    assert outside == ["code-location", "console"]
    to_code = policies["code-location"]["ingress"][0]["from"]
    asked_by = {peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for peer in to_code}
    assert asked_by == {"webserver", "daemon"}


def test_every_name_that_a_manifest_refers_to_is_there_or_a_secret_of_the_page() -> None:
    page = (ROOT / "deploy/kubernetes/README.md").read_text()
    maps = {one["metadata"]["name"] for one in OBJECTS if one["kind"] == "ConfigMap"}
    accounts = {one["metadata"]["name"] for one in OBJECTS if one["kind"] == "ServiceAccount"}
    for name, container in CONTAINERS.items():
        for source in container["envFrom"]:
            if "secretRef" in source:
                assert f"secret generic {source['secretRef']['name']}" in page
            else:
                assert source["configMapRef"]["name"] in maps
        assert PODS[name]["serviceAccountName"] in accounts
        for volume in PODS[name]["volumes"]:
            assert volume.get("configMap", {"name": "enrich-settings"})["name"] in maps
    workspace = yaml.safe_load(_named("ConfigMap", "enrich-workspace")["data"]["workspace.yaml"])
    server = workspace["load_from"][0]["grpc_server"]
    ports = _named("Service", server["host"])["spec"]["ports"]
    assert [port["port"] for port in ports] == [server["port"]]
    listed = re.findall(r"`(\d\d-[\w-]+\.yaml)`", page)
    assert sorted(set(listed)) == [path.name for path in FILES]


def test_the_launcher_is_the_same_with_pods_for_runs_that_have_no_more_rights_than_the_code_location() -> None:
    base = yaml.safe_load((ROOT / "deploy/kubernetes/kustomization.yaml").read_text())
    assert base["resources"] == [path.name for path in FILES]
    overlay = yaml.safe_load((LAUNCHER / "kustomization.yaml").read_text())
    assert overlay["resources"] == ["../kubernetes", *(path.name for path in LAUNCHER_FILES)]
    account = next(op for op in yaml.safe_load(overlay["patches"][0]["patch"]) if op["path"].endswith("AccountName"))
    assert account["value"] == "enrich-launcher"
    assert overlay["patches"][0]["target"]["name"] == "(daemon|webserver)", "the code location makes no pods"
    instance = yaml.safe_load((LAUNCHER / "dagster.yaml").read_text())
    ours = yaml.safe_load((ROOT / "deploy/dagster.yaml").read_text())
    for part in ("storage", "run_queue", "concurrency", "run_monitoring", "run_retries", "telemetry"):
        assert instance[part] == ours[part], part
    run, code = instance["run_launcher"]["config"], CONTAINERS["code-location"]
    assert run["job_image"] == code["image"]
    assert run["service_account_name"] == PODS["code-location"]["serviceAccountName"]
    sources = [name for source in code["envFrom"] for name in (next(iter(source.values()))["name"],)]
    assert [*run["env_config_maps"], *run["env_secrets"]] == sources
    pod, container = run["run_k8s_config"]["pod_spec_config"], run["run_k8s_config"]["container_config"]
    assert (pod["automount_service_account_token"], pod["security_context"]["run_as_user"]) == (False, 10001)
    assert container["security_context"]["read_only_root_filesystem"] is True
    assert container["security_context"]["capabilities"] == {"drop": ["ALL"]}
    assert {mount["mount_path"] for mount in container["volume_mounts"]} == {"/tmp", "/var/lib/enrich"}


def test_the_charts_example_values_name_what_the_manifests_have() -> None:
    values = yaml.safe_load((ROOT / "deploy/helm/values.yaml").read_text())
    deployment = values["dagster-user-deployments"]["deployments"][0]
    assert deployment["codeServerArgs"] == ["--module-name", "enrichment_assets.definitions"]
    assert deployment["podSecurityContext"]["runAsUser"] == 10001
    assert deployment["securityContext"] == CONTAINERS["receiver"]["securityContext"]
    launcher = values["runLauncher"]["config"]["k8sRunLauncher"]
    assert (
        launcher["envSecrets"]
        == deployment["envSecrets"]
        == [{"name": "enrich-database"}, {"name": "enrich-providers"}]
    )
    assert launcher["envConfigMaps"] == deployment["envConfigMaps"] == [{"name": "enrich-settings"}]
