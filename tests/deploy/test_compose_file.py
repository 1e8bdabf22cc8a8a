"""docker-compose.yml, read as text: well formed, pinned, watched, closed."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_network
from typing import Any, cast

import jsonschema
import pytest
import yaml

from devstack.temporal import SEARCH_ATTRIBUTES
from tests.deploy.compose import TREE, load, services, variables

ONE_SHOT = {"bootstrap", "migrate", "operator", "temporal-schema", "temporal-namespace"}
LONG_RUNNING = {"postgres", "temporal", "temporal-ui", "api", "worker"}


def check_form(document: dict[str, Any]) -> None:
    """Raise ValidationError unless the document keeps the Compose specification.

    The edition at hand (2021) does not know the project's name yet, which the specification has had since 2022.
    """
    schema = json.loads((TREE / "tests/deploy/compose-spec.json").read_text())
    jsonschema.Draft201909Validator.check_schema(schema)
    schema["properties"]["name"] = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"}
    jsonschema.validate(document, schema, cls=jsonschema.Draft201909Validator)


def test_compose_file_keeps_the_compose_specification() -> None:
    check_form(load())


def test_form_refuses_a_misspelt_key() -> None:
    wrong = load()
    wrong["services"]["api"]["helthcheck"] = {}

    with pytest.raises(jsonschema.ValidationError):
        check_form(wrong)


def test_every_service_is_either_long_running_or_runs_to_its_end() -> None:
    assert services().keys() == ONE_SHOT | LONG_RUNNING
    for name in ONE_SHOT:
        assert services()[name]["restart"] == "no"
    for name in LONG_RUNNING:
        assert services()[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(LONG_RUNNING))
def test_every_long_running_service_is_asked_how_it_is(name: str) -> None:
    healthcheck = services()[name]["healthcheck"]

    assert healthcheck["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= healthcheck.keys()


@pytest.mark.parametrize("name", sorted(ONE_SHOT | LONG_RUNNING))
def test_every_image_is_pinned_to_a_version(name: str) -> None:
    service = services()[name]
    _, _, tag = cast("str", service["image"]).partition(":")

    if "build" in service:
        assert tag == "${IMAGE_TAG:-0.1.0}"
    else:
        assert tag.count(".") >= 1
        assert "latest" not in tag
        assert not variables(tag)


def test_server_and_schema_of_the_engine_have_one_version() -> None:
    tags = {services()[name]["image"].split(":")[1] for name in ("temporal", "temporal-schema", "temporal-namespace")}

    assert len(tags) == 1


@pytest.mark.parametrize("name", sorted(ONE_SHOT | LONG_RUNNING))
def test_every_service_is_without_privileges(name: str) -> None:
    service = services()[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name != "temporal-ui")
    assert not {"privileged", "network_mode", "pid", "ipc"} & service.keys()
    if service["image"].startswith("postgres:"):
        assert service["user"] == "postgres"


def test_nothing_is_published_beyond_this_machine() -> None:
    published = {name: service["ports"] for name, service in services().items() if "ports" in service}

    assert published.keys() == {"api", "temporal-ui"}
    for ports in published.values():
        assert all(port.startswith("127.0.0.1:") for port in ports)


def test_databases_and_engine_have_no_way_out() -> None:
    assert load()["networks"]["inside"]["internal"] is True
    for name in ("postgres", "bootstrap", "migrate", "temporal-schema", "temporal", "temporal-namespace"):
        assert services()[name]["networks"] == ["inside"]


def test_worker_can_be_scaled() -> None:
    assert not {"container_name", "ports", "hostname"} & services()["worker"].keys()


def test_each_service_waits_for_what_it_stands_on() -> None:
    done, healthy = "service_completed_successfully", "service_healthy"
    waits = {
        name: {on: how["condition"] for on, how in service.get("depends_on", {}).items()}
        for name, service in services().items()
    }

    assert waits == {
        "postgres": {},
        "bootstrap": {"postgres": healthy},
        "migrate": {"bootstrap": done},
        "operator": {"migrate": done},
        "temporal-schema": {"bootstrap": done},
        "temporal": {"temporal-schema": done},
        "temporal-namespace": {"temporal": healthy},
        "temporal-ui": {"temporal": healthy},
        "api": {"migrate": done},  # not the engine: updates are taken in while it is down
        "worker": {"migrate": done, "temporal-namespace": done},
    }


def test_operator_is_started_by_hand_alone() -> None:
    assert [name for name, service in services().items() if "profiles" in service] == ["operator"]
    assert "ports" not in services()["operator"]


def test_mounted_files_exist() -> None:
    for service in services().values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith(".") or (TREE / source).is_file()


def test_engine_is_configured_as_the_embedded_one() -> None:
    dynamic = yaml.safe_load((TREE / "deploy/temporal/dynamicconfig.yaml").read_text())
    script = (TREE / "deploy/temporal/namespace.sh").read_text()

    assert dynamic["matching.enableFairness"] == [{"value": True}]
    registered = dict(line.split()[1:] for line in script.splitlines() if line.startswith("search_attribute Kawal"))
    assert registered == dict(SEARCH_ATTRIBUTES)


def test_database_log_keeps_values_of_rows_to_itself() -> None:
    command = services()["postgres"]["command"]

    for setting in (
        "log_error_verbosity=terse",
        "log_min_error_statement=panic",
        "log_parameter_max_length=0",
        "log_parameter_max_length_on_error=0",
    ):
        assert f"-c {setting}" in command


def test_nobody_but_the_gateway_of_the_pinned_network_may_say_who_a_request_is_from() -> None:
    document = load()
    (network,) = document["networks"]["outside"]["ipam"]["config"]
    default = document["services"]["api"]["environment"]["KAWAL_TRUSTED_PROXIES"]

    assert default == f"${{KAWAL_TRUSTED_PROXIES:-127.0.0.1,{network['gateway']}}}"
    assert ip_address(network["gateway"]) in ip_network(network["subnet"])
