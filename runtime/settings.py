"""Every setting of Kawal's processes, read from `KAWAL_*` variables and from the file `.kawal/env`.

The environment wins over the file. `kawal up` writes the file; in production there is none. Secrets are
`SecretStr` or key rings, so neither a `repr` nor an error shows one.
"""

from __future__ import annotations

import os
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.keyring import IndexRing, KeyRing
from domain.signing import SigningRing
from runtime.oidc.settings import IssuerSettings, check_issuers, is_loopback
from runtime.setting_checks import (
    check_asyncpg_url,
    check_base_url,
    check_host_port,
    check_scanner,
    check_signing_key,
    check_store,
    check_webhook_secret,
    none_if_empty,
    parse_index_ring,
    parse_json,
    parse_key_ring,
    parse_networks,
    parse_origins,
    parse_rate,
    parse_signing_ring,
)

ENV_PREFIX = "KAWAL_"
TREE = Path(__file__).resolve().parent.parent
DEFAULT_DATA_DIR = TREE / ".kawal"

DatabaseUrl = Annotated[SecretStr, AfterValidator(check_asyncpg_url)]
BaseUrl = Annotated[str, AfterValidator(check_base_url)]
Port = Annotated[int, Field(ge=1, le=65535)]
PoolSize = Annotated[int, Field(ge=1, le=200)]
Keys = Annotated[KeyRing, NoDecode, BeforeValidator(parse_key_ring)]
SigningKeys = Annotated[SigningRing, NoDecode, BeforeValidator(parse_signing_ring)]
Rate = Annotated[str | None, BeforeValidator(parse_rate)]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(parse_origins)]
Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(parse_networks)]
IndexKeys = Annotated[IndexRing, NoDecode, BeforeValidator(parse_index_ring)]
Issuers = Annotated[tuple[IssuerSettings, ...], NoDecode, BeforeValidator(parse_json), AfterValidator(check_issuers)]


class SettingsError(Exception):
    """A setting is missing or wrong; the text names each variable and never shows its value."""


class LogFormat(StrEnum):
    """How a process writes its log: for machines or for a terminal."""

    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """The least severity that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Settings(BaseSettings):
    """What API, worker and `kawal` commands are told from outside. Immutable; read with `get_settings()`."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        extra="ignore",  # the file also serves the embedded stack, which has settings of its own
        frozen=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
    )

    data_dir: Path = DEFAULT_DATA_DIR
    """Where the embedded stack keeps its data; production processes write nothing there."""
    demo: bool = False
    """Demo accounts with known passwords exist and may be shown. Never in production."""

    database_app_url: DatabaseUrl
    database_worker_url: DatabaseUrl
    database_migrator_url: DatabaseUrl | None = None
    """Only what migrates needs it: neither the API nor the worker should be given it."""
    database_app_pool_size: PoolSize = 10
    database_worker_pool_size: PoolSize = 10

    temporal_address: Annotated[str, AfterValidator(check_host_port)] = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    task_queue_prefix: str = Field(default="kawal", pattern=r"^[a-z][a-z0-9-]{0,39}$")

    api_host: str = "127.0.0.1"
    api_port: Port = 8080
    public_url: BaseUrl = "http://127.0.0.1:8080"
    """How people and partners reach the API: links in answers, and the Ministry's callback, begin with it."""

    civil_registry_url: BaseUrl
    civil_registry_token: SecretStr
    ministry_url: BaseUrl
    ministry_token: SecretStr
    ministry_webhook_secret: Annotated[SecretStr, AfterValidator(check_webhook_secret)]

    token_signing_key: Annotated[SecretStr, AfterValidator(check_signing_key)]
    token_ttl: Annotated[timedelta, Field(ge=timedelta(minutes=1), le=timedelta(days=1))] = timedelta(hours=1)
    """How long an access token of the local issuer is good; seconds or ISO 8601, `PT1H`."""
    session_idle: Annotated[timedelta, Field(ge=timedelta(minutes=5), le=timedelta(days=90))] = timedelta(days=1)
    """How long a session lives without being used."""
    session_ttl: Annotated[timedelta, Field(ge=timedelta(minutes=5), le=timedelta(days=90))] = timedelta(days=7)
    """How long a session lives at most; then one logs in again."""
    lockout_account_after: Annotated[int, Field(ge=1, le=100)] = 5
    """The failed attempt on one name that brings the first pause; each further one doubles it."""
    lockout_address_after: Annotated[int, Field(ge=1, le=10_000)] = 50
    """The same for all names from one address, behind which a whole office may stand."""
    lockout_longest: Annotated[timedelta, Field(ge=timedelta(seconds=5), le=timedelta(days=1))] = timedelta(minutes=15)
    """The longest pause."""
    rate_address: Rate = "6000/minute"
    """Requests from one address, in each process of the API; `off` for no limit."""
    rate_account: Rate = "6000/minute"
    """Requests of one account, person or machine."""
    rate_public: Rate = "600/minute"
    """Requests from one address to what anybody may ask, `/public`."""
    rate_auth: Rate = "300/minute"
    """Requests from one address to `/v1/auth`."""
    rate_machine: Rate = "3000/minute"
    """Requests with one API key, in each process of the API; a key may be given a limit of its own below it."""
    trusted_proxies: Networks = ("127.0.0.1", "::1")
    """Addresses and networks, separated by commas, whose `X-Forwarded-For` is believed; empty for none."""
    insecure_cookies: bool = False
    """Cookies that go over plain HTTP, without the prefix `__Host-`: for a `public_url` on loopback alone."""
    temporal_ui_origins: Origins = ()
    """Origins, separated by commas, whose pages may have payloads opened from a browser (`/codec/decode`)."""
    oidc_issuers: Issuers = ()
    """Issuers that are trusted besides our own: a list of objects as JSON (`runtime/oidc/settings.py`)."""
    field_keys: Keys
    """Seal columns (NIK, KK, names, the change itself)."""
    index_keys: IndexKeys
    """Make the blind indexes by which sealed numbers are found."""
    codec_keys: Keys
    """Seal what Temporal stores."""

    checkpoint_keys: SigningKeys | None = None
    """Sign checkpoints of the audit trail (Ed25519); for the worker and the operator alone. Unset, there are none."""
    checkpoint_every: Annotated[timedelta, Field(ge=timedelta(seconds=1), le=timedelta(days=7))] = timedelta(hours=1)
    """One checkpoint in each such interval, counted from 1970; seconds or ISO 8601, `PT1H`."""
    evidence_store: Annotated[str, AfterValidator(check_store)] = ""
    """Where files of evidence are kept: `s3://bucket/prefix`, or a folder; unset, `evidence` in the data folder."""
    evidence_s3_endpoint: Annotated[BaseUrl | None, BeforeValidator(none_if_empty)] = None
    """The address of the S3-compatible store; unset, that of the region at AWS."""
    evidence_s3_region: str = "us-east-1"
    evidence_s3_access_key_id: Annotated[str | None, BeforeValidator(none_if_empty)] = None
    evidence_s3_secret_access_key: Annotated[SecretStr | None, BeforeValidator(none_if_empty)] = None
    """Without a pair of keys, what the machine itself is given is used (instance or web identity)."""
    evidence_scanner: Annotated[str | None, BeforeValidator(none_if_empty), AfterValidator(check_scanner)] = None
    """clamd: `tcp://host:3310` or `unix:///path/of/socket`. Unset, files are not scanned, and their rows say so."""
    evidence_max_bytes: Annotated[int, Field(ge=64 * 1024, le=100 * 1024 * 1024)] = 10 * 1024 * 1024
    """The largest file that is taken in."""
    evidence_max_uploads: Annotated[int, Field(ge=1, le=1000)] = 20
    """Unfinished uploads of one account at a time."""
    evidence_upload_ttl: Annotated[timedelta, Field(ge=timedelta(minutes=1), le=timedelta(days=30))] = timedelta(days=3)
    """An upload to which nothing was added for so long is given up; seconds or ISO 8601."""
    evidence_orphan_ttl: Annotated[timedelta, Field(ge=timedelta(hours=1), le=timedelta(days=366))] = timedelta(days=14)
    """A file that no update has named for so long is erased."""

    log_level: LogLevel = LogLevel.INFO
    log_format: LogFormat = LogFormat.JSON
    metrics_host: str = "127.0.0.1"
    worker_metrics_port: Port = 9464
    """Prometheus metrics of the worker; the API serves its own under `/metrics`."""

    sandboxed: bool = True
    """Run workflows in the SDK's sandbox: a guard against non-determinism for a quarter of the throughput."""
    worker_build_id: str | None = Field(default=None, max_length=100)
    """Name of the build, for Temporal's worker versioning; unset, every worker takes every case."""
    worker_cache_size: int = Field(default=1000, ge=0, le=100_000)
    """Workflows a worker keeps in memory, about 65 KB each; hold it above the number active at once."""

    @model_validator(mode="after")
    def _check_cookies(self) -> Self:
        parts = urlsplit(self.public_url)
        if self.insecure_cookies and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise ValueError("KAWAL_INSECURE_COOKIES is for a KAWAL_PUBLIC_URL of http:// on loopback alone")
        return self

    @property
    def evidence_place(self) -> str:
        """Where files are kept, also when nothing is set."""
        return self.evidence_store or str(self.data_dir / "evidence")


def data_dir() -> Path:
    """`KAWAL_DATA_DIR`, or `.kawal` beside the code."""
    return Path(os.environ.get(f"{ENV_PREFIX}DATA_DIR") or DEFAULT_DATA_DIR).absolute()


def load_settings(env_file: Path | None = None) -> Settings:
    """Read the settings anew from the environment and from `env_file` when that exists.

    Raises SettingsError, which names every variable that is missing or wrong.
    """
    try:
        # Required fields come from the environment, which the constructor's signature cannot show.
        return Settings(_env_file=env_file)  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once from the environment and `.kawal/env`."""
    return load_settings(data_dir() / "env")


def _explain(error: ValidationError) -> str:
    lines = [f"  {_line(_variable(item['loc']), item['type'], item['msg'])}" for item in error.errors()]
    return "\n".join(
        [
            "Kawal cannot start, these settings are not right:",
            *lines,
            "`kawal up` writes them for the embedded stack.",
        ],
    )


def _variable(location: tuple[int | str, ...]) -> str:
    return f"{ENV_PREFIX}{str(location[0]).upper()}" if location else "settings"


def _line(variable: str, kind: str, message: str) -> str:
    wrong = "is missing" if kind == "missing" else message.removeprefix("Value error, ")
    return wrong if wrong.startswith(variable) else f"{variable}: {wrong}"
