import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from devstack.environment import (
    StackSettings,
    stack_environment,
    stack_settings,
    with_free_ports,
    write_environment,
)
from devstack.postgres import DatabaseUrls
from runtime.settings import ENV_PREFIX, SettingsError, load_settings

URLS = DatabaseUrls(
    app="postgresql+asyncpg://kawal_app:a@127.0.0.1:1/kawal",
    worker="postgresql+asyncpg://kawal_worker:w@127.0.0.1:1/kawal",
    migrator="postgresql+asyncpg://kawal_migrator:m@127.0.0.1:1/kawal",
)


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
        monkeypatch.delenv(name)
    folder = tmp_path / "it's data"
    folder.mkdir()
    monkeypatch.setenv("KAWAL_DATA_DIR", str(folder))
    return folder


def publish(settings: StackSettings) -> dict[str, str]:
    environment = stack_environment(settings, URLS)
    write_environment(settings.env_file, environment)
    return environment


def test_secrets_are_made_once_and_kept(own_folder: Path) -> None:
    first = publish(stack_settings())
    again = publish(stack_settings())
    assert first == again
    assert stat.S_IMODE((own_folder / "env").stat().st_mode) == 0o600
    secrets = [first[f"KAWAL_{name}"] for name in ("FIELD_KEYS", "INDEX_KEYS", "CODEC_KEYS", "TOKEN_SIGNING_KEY")]
    assert len(set(secrets)) == len(secrets)


def test_every_process_can_start_from_the_file_alone(own_folder: Path) -> None:
    publish(stack_settings())
    settings = load_settings(own_folder / "env")
    assert settings.demo
    assert settings.database_app_url.get_secret_value() == URLS.app
    assert settings.data_dir == own_folder
    assert settings.public_url == f"http://127.0.0.1:{settings.api_port}"


def test_a_shell_reads_the_file_as_it_is(own_folder: Path) -> None:
    environment = publish(stack_settings())
    done = subprocess.run(  # noqa: S603 - our own words
        ["/bin/sh", "-c", '. "$0" && printf "%s\n%s" "$KAWAL_DATA_DIR" "$KAWAL_FIELD_KEYS"', str(own_folder / "env")],
        capture_output=True,
        text=True,
        check=True,
        env={},
    )
    assert done.stdout.splitlines() == [str(own_folder), environment["KAWAL_FIELD_KEYS"]]


def test_what_the_environment_says_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAWAL_API_PORT", "9123")
    monkeypatch.setenv("KAWAL_MINISTRY_TOKEN", "agreed with the Ministry")
    environment = publish(stack_settings())
    assert environment["KAWAL_PUBLIC_URL"] == "http://127.0.0.1:9123"
    assert environment["KAWAL_MINISTRY_TOKEN"] == "agreed with the Ministry"


def test_a_taken_port_is_replaced_and_the_new_one_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        taken = somebody.getsockname()[1]
        monkeypatch.setenv("KAWAL_API_PORT", str(taken))
        monkeypatch.setenv("KAWAL_MINISTRY_PORT", str(taken))
        chosen = with_free_ports(stack_settings())
        publish(chosen)
    monkeypatch.delenv("KAWAL_API_PORT")
    monkeypatch.delenv("KAWAL_MINISTRY_PORT")
    assert len({taken, chosen.api_port, chosen.ministry_port}) == 3
    assert stack_settings().api_port == chosen.api_port


def test_a_port_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAWAL_PG_PORT", "many")
    with pytest.raises(SettingsError, match=r"KAWAL_PG_PORT: .*integer"):
        stack_settings()
