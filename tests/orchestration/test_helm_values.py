"""The values for Dagster's Helm chart: equal to the instance of one machine, and accepted by what will read them.

The chart itself is in no Python package. `DAGSTER_HELM_CHART=<folder>` checks against its own schema, too: the folder
that `helm pull dagster/dagster --version <release> --untar` makes.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import jsonschema
import pytest
from dagster._config import process_config
from dagster_k8s import K8sRunLauncher
from dagster_k8s.models import k8s_model_from_dict, k8s_snake_case_dict
from kubernetes.client import V1JobSpec, V1PodSpec
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
FILE = ROOT / "orchestration" / "deploy" / "helm-values.yaml"
INSTANCE = YAML(typ="safe").load((ROOT / "orchestration" / "dagster.yaml").read_text())


@pytest.fixture
def values() -> dict[str, Any]:
    return YAML(typ="safe").load(FILE.read_text())


@pytest.fixture
def deployment(values: dict[str, Any]) -> dict[str, Any]:
    (found,) = values["dagster-user-deployments"]["deployments"]
    return found


def pod(found: Mapping[str, Any]) -> V1PodSpec:
    """The pod that the chart makes of a component, read strictly: an unknown key is an error."""
    container = {"name": "x", "securityContext": found["securityContext"], "resources": found["resources"]}
    container |= {"volumeMounts": found["volumeMounts"], "env": found.get("env", [])}
    container["envFrom"] = [{"secretRef": reference} for reference in found.get("envSecrets", [])]
    spec = {"securityContext": found["podSecurityContext"], "volumes": found["volumes"], "containers": [container]}
    return k8s_model_from_dict(V1PodSpec, k8s_snake_case_dict(V1PodSpec, spec))


def test_the_instance_is_that_of_one_machine(values: dict[str, Any]) -> None:
    """Limits of runs and pools, monitoring, retries, retention: the same numbers, whoever changes one of them."""
    of_the_chart = {"storage", "telemetry"}
    assert values["additionalInstanceConfig"] == {name: v for name, v in INSTANCE.items() if name not in of_the_chart}
    assert values["telemetry"] == INSTANCE["telemetry"]
    own_blocks = [values["dagsterDaemon"][name] for name in ("runCoordinator", "runMonitoring", "runRetries")]
    for block in (*own_blocks, values["retention"], values["concurrency"]):
        assert block == {"enabled": False}, "the chart would write the block a second time"


def test_dagster_accepts_the_instance(values: dict[str, Any], tmp_path: Path) -> None:
    settings = values["additionalInstanceConfig"] | {"telemetry": values["telemetry"]}
    with (tmp_path / "dagster.yaml").open("w") as file:
        YAML().dump(settings | {"storage": {"sqlite": {"base_dir": str(tmp_path)}}}, file)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.run_monitoring_enabled
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 6


def test_dagster_k8s_accepts_the_launcher(values: dict[str, Any]) -> None:
    assert values["runLauncher"]["type"] == "K8sRunLauncher"
    launcher = values["runLauncher"]["config"]["k8sRunLauncher"]
    # Source: the chart's template dagsterYaml.runLauncher.k8s: keys in snake case, the contents as they are.
    config = {_snake(name): value for name, value in launcher.items()}
    config["run_k8s_config"] = {_snake(name): value for name, value in launcher["runK8sConfig"].items()}
    config |= {"service_account_name": "dagster", "instance_config_map": "dagster-instance", "job_namespace": "default"}
    config |= {"dagster_home": "/opt/dagster/dagster_home"}
    config["postgres_password_secret"] = values["global"]["postgresqlSecretName"]
    result = process_config(K8sRunLauncher.config_type(), config)
    assert result.success, [error.message for error in result.errors or ()]
    job = {**launcher["runK8sConfig"]["jobSpecConfig"], "template": {}}
    assert k8s_model_from_dict(V1JobSpec, k8s_snake_case_dict(V1JobSpec, job)).backoff_limit == 0


def test_no_pod_has_more_rights_than_it_needs(values: dict[str, Any], deployment: dict[str, Any]) -> None:
    for found in (deployment, values["dagsterWebserver"], values["dagsterDaemon"]):
        spec = pod(found)
        assert spec.security_context.run_as_non_root
        assert spec.security_context.run_as_user
        (container,) = spec.containers
        assert container.security_context.allow_privilege_escalation is False
        assert container.security_context.capabilities.drop == ["ALL"]
        assert container.resources.requests
        assert container.resources.limits["memory"]
        mounted = {mount.name for mount in container.volume_mounts}
        assert mounted == {volume.name for volume in spec.volumes}
    assert deployment["securityContext"]["readOnlyRootFilesystem"]


def test_runs_are_what_the_code_location_is_and_secrets_come_from_secrets(deployment: dict[str, Any]) -> None:
    assert deployment["includeConfigInLaunchedRuns"] == {"enabled": True}
    assert deployment["dagsterApiGrpcArgs"] == ["--module-name", "orchestration.definitions"]
    plain = {entry["name"] for entry in deployment["env"]}
    secret = {"META_ACCESS_TOKEN", "META_APP_SECRET", "WAREHOUSE_URL", "DAGSTER_DATABASE_URL"}
    assert not plain & secret
    assert deployment["envSecrets"] == [{"name": "meta-ads"}]
    assert not re.search(r"(?i)password:|token:|://", re.sub(r"(?m)#.*$", "", FILE.read_text()))


def test_the_chart_is_of_the_release_that_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (pinned,) = (line.partition("==")[2] for line in project["dependencies"] if line.startswith("dagster=="))
    assert f"release {pinned};" in FILE.read_text().partition("\n")[0]


def test_the_charts_schema_accepts_them(values: dict[str, Any]) -> None:
    """As Helm does it: over the chart's defaults, against its schema."""
    named = os.environ.get("DAGSTER_HELM_CHART")
    if not named:
        pytest.skip("no chart: set DAGSTER_HELM_CHART to its folder")
    chart = Path(named)
    merged = _over(YAML(typ="safe").load((chart / "values.yaml").read_text()), values)
    schema = json.loads((chart / "values.schema.json").read_text())
    # Reason: it refers to Kubernetes' own schemas by URL; those parts are checked above, against the client's models.
    registry = Registry(retrieve=lambda uri: Resource.from_contents({}, default_specification=DRAFT7))
    errors = list(jsonschema.Draft7Validator(schema, registry=registry).iter_errors(merged))
    assert not errors, [f"{error.json_path}: {error.message[:300]}" for error in errors]


def _over(defaults: Any, ours: Any) -> Any:
    if not (isinstance(defaults, dict) and isinstance(ours, dict)):
        return ours
    return defaults | {name: _over(defaults.get(name), value) for name, value in ours.items()}


def _snake(name: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", name).lower()
