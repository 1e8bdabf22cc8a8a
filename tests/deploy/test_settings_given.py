"""What compose hands to each process is what the process asks for: names, forms, and nobody else's password."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from runtime.settings import ENV_PREFIX, Settings, load_settings
from tests.deploy import compose

PROCESSES = ("api", "worker", "migrate", "operator")
KNOWN = {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields}
FROM_PARTNERS = {
    "KAWAL_PUBLIC_URL": "https://kawal.example.go.id",
    "KAWAL_CIVIL_REGISTRY_URL": "https://dukcapil.example.go.id",
    "KAWAL_CIVIL_REGISTRY_TOKEN": "given by the civil registry",
    "KAWAL_MINISTRY_URL": "https://siks.example.go.id",
    "KAWAL_MINISTRY_TOKEN": "given by the Ministry",
    "KAWAL_MINISTRY_WEBHOOK_SECRET": "whsec_bm90LWEtc2VjcmV0LWJ1dC1sb25nLWVub3VnaA==",
}


def make_env(target: Path) -> subprocess.CompletedProcess[str]:
    script = compose.TREE / "deploy/make_env.sh"
    return subprocess.run(["sh", script, target], capture_output=True, text=True, check=False)  # noqa: S603, S607 - our own script


@pytest.fixture
def made(tmp_path: Path) -> dict[str, str]:
    """The variables of a fresh .env."""
    assert make_env(tmp_path / ".env").returncode == 0
    return compose.read_env(tmp_path / ".env")


@pytest.fixture
def values(made: dict[str, str]) -> dict[str, str]:
    """The same, with what only the operator knows filled in."""
    return made | FROM_PARTNERS


@pytest.mark.parametrize("process", PROCESSES)
def test_process_accepts_its_settings(
    process: str,
    values: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = compose.environment(process, values)
    for name in KNOWN:
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    settings = load_settings()

    assert settings.demo is False
    assert settings.public_url == FROM_PARTNERS["KAWAL_PUBLIC_URL"]


@pytest.mark.parametrize("process", PROCESSES)
def test_every_variable_handed_over_is_a_setting(process: str) -> None:
    assert set(compose.services()[process]["environment"]) <= KNOWN


@pytest.mark.parametrize("process", PROCESSES)
def test_every_required_setting_is_handed_over(process: str) -> None:
    required = {f"{ENV_PREFIX}{name.upper()}" for name, field in Settings.model_fields.items() if field.is_required()}

    assert required <= set(compose.services()[process]["environment"])


def test_each_process_gets_the_passwords_of_its_own_accounts_alone(values: dict[str, str]) -> None:
    accounts = {"api": {"APP"}, "worker": {"WORKER"}, "migrate": {"MIGRATOR"}, "operator": {"APP", "MIGRATOR"}}
    passwords = {account: values[f"DB_{account}_PASSWORD"] for account in set[str]().union(*accounts.values())}

    for process, known in accounts.items():
        told = "".join(compose.environment(process, values).values())
        assert {name for name, password in passwords.items() if password in told} == known
        assert values["POSTGRES_PASSWORD"] not in told


def test_only_the_worker_and_the_operator_can_sign_checkpoints(values: dict[str, str]) -> None:
    told = {process: "".join(compose.environment(process, values).values()) for process in PROCESSES}
    key = values["KAWAL_CHECKPOINT_KEYS"]
    assert {process for process in PROCESSES if key in told[process]} == {"worker", "operator"}


def test_no_secret_has_a_default() -> None:
    text = (compose.TREE / "docker-compose.yml").read_text()
    example = compose.read_env(compose.TREE / "deploy/env.example")
    secret = {name for name in example if name.endswith(("_PASSWORD", "_TOKEN", "_SECRET", "_KEY", "_KEYS"))}

    assert len(secret) == 14
    assert not any(example[name] for name in secret)
    assert not any(f"${{{name}:-" in text or f"${{{name}}}" in text for name in secret)


def test_example_explains_every_variable_of_the_compose_file() -> None:
    example = compose.TREE / "deploy/env.example"

    assert compose.variables((compose.TREE / "docker-compose.yml").read_text()) == set(compose.read_env(example))


@pytest.mark.parametrize("missing", sorted(FROM_PARTNERS))
def test_compose_refuses_to_start_without_what_only_the_operator_knows(missing: str, values: dict[str, str]) -> None:
    with pytest.raises(compose.UnsetVariableError, match=missing):
        compose.environment("api", values | {missing: ""})


def test_secrets_are_made_anew_and_never_over_old_ones(tmp_path: Path, made: dict[str, str]) -> None:
    again = tmp_path / ".env"
    before = again.read_text()
    refused = make_env(again)

    assert refused.returncode == 1
    assert again.read_text() == before
    assert again.stat().st_mode & 0o077 == 0
    assert make_env(tmp_path / "other").returncode == 0
    other = compose.read_env(tmp_path / "other")
    fresh = {name for name, value in made.items() if value != other[name]}
    assert fresh == {
        *("POSTGRES_PASSWORD", "DB_MIGRATOR_PASSWORD", "DB_APP_PASSWORD", "DB_WORKER_PASSWORD"),
        *("DB_TEMPORAL_PASSWORD", "KAWAL_TOKEN_SIGNING_KEY"),
        *("KAWAL_FIELD_KEYS", "KAWAL_INDEX_KEYS", "KAWAL_CODEC_KEYS", "KAWAL_CHECKPOINT_KEYS"),
    }
