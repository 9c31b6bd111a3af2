"""`docker-compose.yml` and what lies beside it name nothing that there is not.

No Docker runs here: the file is held against Compose's own schema, and each command, port, variable, secret and path in
it against the project. What containers do with them was never seen.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer
from compose_spec import PyCompose
from ruamel.yaml import YAML

from orchestration.cli import app
from orchestration.commands.run import Name
from orchestration.health import PATHS
from orchestration.instance import PROCESSES
from orchestration.secret_files import VARIABLE
from orchestration.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "orchestration" / "deploy"
OURS = "meta-ads-analytics:"
LEFT_TO_PEOPLE = {"./clients.yml"}
_VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::-([^}]*))?\}")


def _expanded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _expanded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_expanded(one) for one in value]
    return _VARIABLE.sub(lambda found: found[2] or "", value) if isinstance(value, str) else value


TEXT = (ROOT / "docker-compose.yml").read_text()
FILE: dict[str, Any] = _expanded(YAML(typ="safe").load(TEXT))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
HARDENED = [name for name in SERVICES if name != "test"]
PLATFORM = [name for name in HARDENED if SERVICES[name].get("image", "").startswith(OURS)]


def options(service: str) -> dict[str, str]:
    """`--name value` of a command."""
    words = SERVICES[service]["command"]
    return {word: after for word, after in itertools.pairwise(words) if word.startswith("--")}


def test_it_fits_the_schema_and_the_schema_refuses_what_does_not() -> None:
    assert set(PyCompose.from_json(json.dumps(FILE)).service_names()) == set(SERVICES)
    plain = json.loads(json.dumps(FILE))
    plain["services"]["caddy"]["healthcheck"]["retriess"] = 3
    with pytest.raises(ValueError, match="retriess"):
        PyCompose.from_json(json.dumps(plain))


@pytest.mark.parametrize("name", PLATFORM)
def test_every_command_of_ours_is_one(name: str) -> None:
    words = [*SERVICES[name]["command"]]
    command: Any = typer.main.get_command(app)
    with command.make_context("meta-ads", [words[0]], resilient_parsing=True) as context:
        while hasattr(command, "get_command"):
            word = words.pop(0)
            command = command.get_command(context, word)
            assert command is not None, word
        command.make_context(name, words)


def test_the_simulator_and_the_processes_take_these_options() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulator", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert all(option in done.stdout for option in options("simulator"))
    assert {name.value for name in Name} == set(PROCESSES)
    assert {SERVICES[name]["command"][1] for name in PLATFORM if SERVICES[name]["command"][0] == "run"} == set(
        PROCESSES
    )


@pytest.mark.parametrize("name", [name for name in PLATFORM if "healthcheck" in SERVICES[name]])
def test_a_health_check_asks_the_port_that_is_served(name: str) -> None:
    kind, program, option, module, asked, *port = SERVICES[name]["healthcheck"]["test"]
    assert (kind, program, option) == ("CMD", "python", "-m")
    assert module == "orchestration.health"
    assert asked in {*PATHS, "code-server", "daemon"}
    assert asked == (SERVICES[name]["command"][1] if SERVICES[name]["command"][0] == "run" else name)
    assert port == ([] if asked == "daemon" else [options(name)["--port"]])


def test_who_is_waited_for_can_tell_that_it_is_well() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_started" or "healthcheck" in SERVICES[other], (name, other)


def test_addresses_name_a_service_and_its_port(tmp_path: Path) -> None:
    served = {name: options(name).get("--port") for name in PLATFORM}
    served |= {"metabase": "3000", "oauth2-proxy": "4180", "timescaledb": "5432", "redis": "6379"}
    served["oauth2-proxy"] = next(
        word.rpartition(":")[2] for word in SERVICES["oauth2-proxy"]["command"] if word.startswith("--http-address")
    )
    caddy = (DEPLOY / "Caddyfile").read_text()
    told = re.findall(r"(?:reverse_proxy|forward_auth) ([\w-]+):(\d+)", caddy)
    assert {host for host, _ in told} == {"oauth2-proxy", "webserver", "site", "metabase", "receiver"}
    environment = SERVICES["code-server"]["environment"]
    texts = [*(str(value) for value in environment.values()), *made_in(tmp_path / "secrets").values()]
    texts.append((DEPLOY / "demo.env").read_text())
    urls = [urlsplit(url) for text in texts for url in re.findall(r"\w+://\S+:\d+\S*", text)]
    told += [(str(url.hostname), str(url.port)) for url in urls]
    told += [tuple(options(name)["--code"].split(":")) for name in ("webserver", "daemon")]
    assert len(told) > 10
    for host, port in told:
        assert served[host] == port, (host, port)
    inside = set(re.findall(r"https?_port (\d+)", caddy))
    assert {port.partition("/")[0].rpartition(":")[2] for port in SERVICES["caddy"]["ports"]} == inside


def test_variables_are_settings_and_are_explained() -> None:
    known = {name.upper() for name in Settings.model_fields} | {VARIABLE}
    for name in PLATFORM:
        assert set(SERVICES[name].get("environment", {})) <= known
    cookbook = (ROOT / "docs" / "cookbooks" / "docker.md").read_text()
    example = (ROOT / ".env.example").read_text()
    for variable, _ in _VARIABLE.findall(TEXT):
        assert f"`{variable}`" in cookbook or f"{variable}=" in example, variable
    for variable in re.findall(r"^([A-Z_]+)=", (DEPLOY / "demo.env").read_text(), re.MULTILINE):
        assert f"${{{variable}:-" in TEXT, variable


def made_in(folder: Path) -> dict[str, str]:
    """The secrets that the script draws."""
    subprocess.run([DEPLOY / "make_secrets.sh", folder], check=True, capture_output=True)
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_secrets_are_drawn_once_and_are_those_that_are_mounted(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    made = made_in(folder)
    assert made_in(folder) == made
    assert {name: one["file"] for name, one in FILE["secrets"].items()} == {name: f"./secrets/{name}" for name in made}
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == set(made)
    assert {name for name, text in made.items() if not text} == {
        "meta_access_token",
        "meta_app_secret",
        "smtp_password",
    }
    for name in PLATFORM:
        assert set(SERVICES[name].get("secrets", [])) <= set(Settings.model_fields)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not made["postgres_password"].isspace()
    assert made["postgres_password"] in made["warehouse_url"]
    assert len(re.search(r'cookie_secret = "(\w+)"', made["oauth2_proxy.cfg"])[1]) == 32  # type: ignore[index]


def test_every_path_of_this_machine_is_in_the_project() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source = volume["source"] if isinstance(volume, dict) else volume.partition(":")[0]
            if source.startswith("."):
                assert source in LEFT_TO_PEOPLE or (ROOT / source).exists(), (name, source)
            else:
                assert source in FILE["volumes"], (name, source)


def test_the_images_are_made_of_what_there_is() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    targets = set(re.findall(r"^FROM \S+ AS (\w+)$", dockerfile, re.MULTILINE))
    built = [service["build"] for service in SERVICES.values() if "build" in service]
    assert {one["target"] for one in built} == targets - {"packages"}
    assert {ROOT / one["dockerfile"] for one in built} == {DEPLOY / "Dockerfile"}
    copied = re.findall(r"^COPY (?!--)([^.\n][^\n]*) \S+$", dockerfile, re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    assert all((ROOT / source).exists() for source in sources)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert {f"{name}/" for name in packages | {"dbt_project", "requirements"}} <= sources
    for argument in (key for one in built for key in one.get("args", {})):
        assert f"ARG {argument}=" in dockerfile


@pytest.mark.parametrize("name", HARDENED)
def test_containers_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"])
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert set(service.get("cap_add", [])) <= {"NET_BIND_SERVICE"}
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+[\w.-]*", service["image"])
    if not {"apply", "test"} & set(service.get("profiles", [])):
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    ports = [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")]
    assert not ports or name == "caddy"


def test_databases_are_in_networks_without_a_way_out() -> None:
    inner = {name for name, network in FILE["networks"].items() if network.get("internal")}
    for name in ("timescaledb", "metabase-db", "redis"):
        assert set(SERVICES[name]["networks"]) <= inner
    assert "data" not in SERVICES["metabase-db"]["networks"]
    used = {network for service in SERVICES.values() for network in service["networks"]}
    assert used == set(FILE["networks"])
    volumes = [volume for one in SERVICES.values() for volume in one.get("volumes", []) if isinstance(volume, str)]
    assert {volume.partition(":")[0] for volume in volumes if volume[0] != "."} == set(FILE["volumes"])


@pytest.mark.parametrize("script", ["make_secrets.sh", "postgres/10-databases.sh"])
def test_scripts_can_be_read_and_run(script: str) -> None:
    assert os.access(DEPLOY / script, os.X_OK)
    subprocess.run(["sh", "-n", DEPLOY / script], check=True)
