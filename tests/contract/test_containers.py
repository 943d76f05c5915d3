"""The container files keep AIMA's promises; `make check` compares their form with its schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from aima.gateway.cli.main import COMMANDS
from aima.settings import fields, variable

REPOSITORY = Path(__file__).parents[2]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(
    (REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8")
)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}

every_service = pytest.mark.parametrize("name", SERVICES)
every_service_of_ours = pytest.mark.parametrize("name", OURS)


@every_service
def test_nothing_is_published_beyond_this_machine(name: str) -> None:
    """Who can reach Temporal's port owns every run; a fresh installation must not offer it."""
    ports = SERVICES[name].get("ports", [])
    assert all(port.startswith("127.0.0.1:") for port in ports), ports
    assert "network_mode" not in SERVICES[name]


@every_service
def test_no_password_stands_in_the_file(name: str) -> None:
    """What is written here ends in everybody's clone; a secret's file is as good."""
    secret = re.compile(r"PASSWORD|PWD|TOKEN|SECRET|_KEY")
    said = SERVICES[name].get("environment", {})
    assert [key for key in said if secret.search(key) and not key.endswith("_FILE")] == []


@every_service
def test_every_image_has_a_version(name: str) -> None:
    """An image that changes under its name is another program tomorrow."""
    tag = SERVICES[name]["image"].partition(":")[2]
    assert re.fullmatch(r"\$\{\w+:-[\w.-]+\}", tag), tag
    assert "latest" not in tag


@every_service
def test_what_runs_on_says_whether_it_is_well(name: str) -> None:
    """A restart helps only where somebody notices; others wait for it to be well."""
    service = SERVICES[name]
    own = service.get("healthcheck", {})
    from_image = name in OURS and "\nHEALTHCHECK " in DOCKERFILE
    if service.get("restart") == "unless-stopped":
        assert "test" in own or (from_image and not own)


@every_service
def test_what_a_service_waits_for_exists_and_can_come_true(name: str) -> None:
    """Waiting for the health of something that ends, or the end of something that stays, hangs."""
    for other, awaited in SERVICES[name].get("depends_on", {}).items():
        ends = SERVICES[other].get("restart") != "unless-stopped"
        assert awaited["condition"] == (
            "service_completed_successfully" if ends else "service_healthy"
        )


@every_service_of_ours
def test_aima_has_no_power_it_does_not_need(name: str) -> None:
    """A unit that is tricked must not own the machine."""
    assert OURS[name]["cap_drop"] == ["ALL"]
    assert OURS[name]["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "user", "cap_add", "devices"} & OURS[name].keys()


@every_service_of_ours
def test_the_commands_of_the_services_exist(name: str) -> None:
    """A renamed command would be found when the containers fail to start, by a user."""
    command = OURS[name].get("command", [COMMANDS[0]])
    assert command[0] in COMMANDS


def test_every_setting_named_in_a_container_file_exists() -> None:
    """A misspelt variable is silently none."""
    known = {variable(path) for path, _ in fields()}
    named = {name for service in OURS.values() for name in service.get("environment", {})}
    named |= set(re.findall(r"AIMA_[A-Z_]+(?=[=\"}:])", DOCKERFILE))
    assert named
    assert named <= known, named - known


def test_the_engine_is_asked_where_it_listens() -> None:
    """Its health is read off the kernel's table of sockets, where ports are hexadecimal."""
    port = int(re.findall(r":([0-9A-F]{4})\b", OURS["engine"]["healthcheck"]["test"][2])[0], 16)
    assert OURS["worker"]["environment"]["AIMA_EMBEDDED_URL"] == f"http://engine:{port}/v1"


def test_the_workers_share_what_makes_effects_happen_once() -> None:
    """A step taken over by the other worker must find its effect recorded and its bytes there."""
    assert SERVICES["worker"]["volumes"] == ["state:/data", "artifacts:/data/artifacts"]
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


def test_the_image_runs_as_nobody_in_particular() -> None:
    """Root in a container is root on the machine once something goes wrong."""
    users = re.findall(r"^USER (\S+)", last_stage(), re.MULTILINE)
    assert users == ["10001"]


def test_the_base_image_is_the_builder_s_choice() -> None:
    """Where no registry is reached, a base of one's own does; and one version is named once."""
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


def test_the_image_is_built_of_what_the_wheel_is_made_of() -> None:
    """Neither a secret beside the code nor the tests get into the build."""
    rules = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert "*" in rules
    assert allowed == set(needed_by_the_wheel())


def last_stage() -> str:
    """Give the part of the Dockerfile that becomes the image."""
    return DOCKERFILE.rpartition("\nFROM ")[2]


def needed_by_the_wheel() -> Iterator[str]:
    """Name what the build reads."""
    yield from ("pyproject.toml", "requirements.lock", "README.md", "LICENSE", "NOTICE")
    yield from ("aima", "activities", "workflows", "dsl", "templates")
