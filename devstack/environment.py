"""What the embedded stack tells its processes: ports that were free, secrets made once, all kept in `.kawal/env`.

The file serves every other shell too: `kawal` commands and tests read it, and `. .kawal/env` works in a shell.
"""

from __future__ import annotations

import base64
import os
import secrets
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from devstack import postgres, temporal
from devstack.cluster import write_private
from devstack.ports import LOOPBACK, free_port
from devstack.postgres import DatabaseUrls
from domain import keyring
from runtime.settings import DEFAULT_DATA_DIR, ENV_PREFIX, Port, SettingsError, data_dir

_HEADER: Final = "# Written by `kawal up`. Contains secrets of this machine's embedded stack; yours alone to read.\n"


class StackSettings(BaseSettings):
    """Where the embedded stack would like to live. A port that is taken is replaced by the next free one."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="ignore", frozen=True, hide_input_in_errors=True)

    data_dir: Path = DEFAULT_DATA_DIR
    pg_port: Port = postgres.DEFAULT_PORT
    temporal_port: Port = temporal.DEFAULT_PORT
    temporal_ui_port: Port = temporal.DEFAULT_UI_PORT
    api_port: Port = 8080
    civil_registry_port: Port = 8091
    ministry_port: Port = 8092
    worker_metrics_port: Port = 9464

    @property
    def env_file(self) -> Path:
        """The file that other shells and the processes of the stack read."""
        return self.data_dir / "env"

    @property
    def log_dir(self) -> Path:
        """One log a process."""
        return self.data_dir / "log"

    @property
    def run_dir(self) -> Path:
        """Records of the running processes."""
        return self.data_dir / "run"


def stack_settings() -> StackSettings:
    """From the environment, then from the file of an earlier run. Raises SettingsError."""
    try:
        # The type checker reads the fields alone, not the constructor that pydantic-settings adds.
        settings = StackSettings(_env_file=data_dir() / "env")  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        wrong = [f"{ENV_PREFIX}{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors()]
        raise SettingsError("; ".join(wrong)) from None
    return settings.model_copy(update={"data_dir": data_dir()})


def with_free_ports(settings: StackSettings) -> StackSettings:
    """The same with ports that are free now and differ from each other.

    PostgreSQL's is left to its server, which may be running already.
    """
    taken = {settings.pg_port}
    chosen: dict[str, int] = {}
    for name in (
        "temporal_port",
        "temporal_ui_port",
        "api_port",
        "civil_registry_port",
        "ministry_port",
        "worker_metrics_port",
    ):
        chosen[name] = free_port(getattr(settings, name), avoid=taken)
        taken.add(chosen[name])
    return settings.model_copy(update=chosen)


def _webhook_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


_SECRETS: Final[Mapping[str, Callable[[], str]]] = {
    "CIVIL_REGISTRY_TOKEN": secrets.token_urlsafe,
    "MINISTRY_TOKEN": secrets.token_urlsafe,
    "MINISTRY_WEBHOOK_SECRET": _webhook_secret,
    "PARTNER_ADMIN_TOKEN": secrets.token_urlsafe,
    "TOKEN_SIGNING_KEY": lambda: secrets.token_urlsafe(48),
    "FIELD_KEYS": keyring.generate,
    "INDEX_KEYS": keyring.generate,
    "CODEC_KEYS": keyring.generate,
    "CHECKPOINT_KEYS": keyring.generate,
}


def stack_environment(settings: StackSettings, urls: DatabaseUrls) -> dict[str, str]:
    """Every `KAWAL_*` variable of the stack's processes.

    Secrets come from the environment or the file if they stand there, and are made otherwise; a key once used
    is never replaced, since what it sealed would be lost.
    """
    known = {**_kept(settings.env_file), **os.environ}
    api_url = f"http://{LOOPBACK}:{settings.api_port}"
    public_url = os.environ.get(f"{ENV_PREFIX}PUBLIC_URL", api_url)
    values: dict[str, str] = {
        "DATA_DIR": str(settings.data_dir),
        "DEMO": "true",
        "DATABASE_APP_URL": urls.app,
        "DATABASE_WORKER_URL": urls.worker,
        "DATABASE_MIGRATOR_URL": urls.migrator,
        "PG_PORT": str(settings.pg_port),
        "TEMPORAL_ADDRESS": f"{LOOPBACK}:{settings.temporal_port}",
        "TEMPORAL_PORT": str(settings.temporal_port),
        "TEMPORAL_UI_PORT": str(settings.temporal_ui_port),
        "TEMPORAL_UI_ORIGINS": f"http://{LOOPBACK}:{settings.temporal_ui_port}",
        "API_HOST": LOOPBACK,
        "API_PORT": str(settings.api_port),
        "API_URL": api_url,
        # Everybody is on loopback here, and the demo and the bench ask for all of them at once.
        "RATE_ADDRESS": known.get(f"{ENV_PREFIX}RATE_ADDRESS", "off"),
        "RATE_ACCOUNT": known.get(f"{ENV_PREFIX}RATE_ACCOUNT", "off"),
        "PUBLIC_URL": public_url,
        # Browsers keep no secure cookie of an address without TLS; on loopback nobody listens in.
        "INSECURE_COOKIES": "true" if public_url == api_url else "false",
        "CIVIL_REGISTRY_PORT": str(settings.civil_registry_port),
        "CIVIL_REGISTRY_URL": f"http://{LOOPBACK}:{settings.civil_registry_port}",
        "MINISTRY_PORT": str(settings.ministry_port),
        "MINISTRY_URL": f"http://{LOOPBACK}:{settings.ministry_port}",
        "WORKER_METRICS_PORT": str(settings.worker_metrics_port),
        **{name: known.get(ENV_PREFIX + name) or make() for name, make in _SECRETS.items()},
    }
    return {ENV_PREFIX + name: value for name, value in values.items()}


def write_environment(file: Path, environment: Mapping[str, str]) -> None:
    """Keep it for the next run and for other shells, readable by its owner alone."""
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in environment.items()]
    write_private(file, _HEADER + "".join(lines))


def _kept(file: Path) -> dict[str, str]:
    return {name: value for name, value in dotenv_values(file, interpolate=False).items() if value}
