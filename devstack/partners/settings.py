"""Where the partners listen and what they share with Kawal: `KAWAL_*` variables and the file `.kawal/env`."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.setting_checks import check_base_url, check_webhook_secret
from runtime.settings import DEFAULT_DATA_DIR, ENV_PREFIX, BaseUrl, data_dir


def check_loopback_url(url: str) -> str:
    """An HTTP URL with a port on this machine alone: these servers hold invented people and answer to anyone."""
    parts = urlsplit(check_base_url(url))
    host = "127.0.0.1" if parts.hostname == "localhost" else str(parts.hostname)
    try:
        loopback = IPv4Address(host).is_loopback and parts.port is not None
    except ValueError:
        loopback = False
    if parts.scheme != "http" or not loopback:
        raise ValueError("must be http:// with an IPv4 loopback address and a port")
    return url


def address_of(url: str) -> tuple[str, int]:
    """Host and port that a loopback URL names."""
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 80


LoopbackUrl = Annotated[str, AfterValidator(check_loopback_url)]


class PartnerSettings(BaseSettings):
    """What `python -m devstack.partners` is told from outside. Immutable."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    data_dir: Path = DEFAULT_DATA_DIR
    civil_registry_url: LoopbackUrl
    civil_registry_token: SecretStr
    ministry_url: LoopbackUrl
    ministry_token: SecretStr
    ministry_webhook_secret: Annotated[SecretStr, AfterValidator(check_webhook_secret)]
    partner_admin_token: SecretStr
    api_url: BaseUrl = Field(
        default="http://127.0.0.1:8080",
        validation_alias=AliasChoices(f"{ENV_PREFIX}API_URL", f"{ENV_PREFIX}PUBLIC_URL"),
    )
    """Where this machine reaches the API; the public URL when none is named."""

    @property
    def callback_url(self) -> str:
        """Where the Ministry's answers go."""
        return f"{self.api_url}/v1/callbacks/ministry"


def load_partner_settings() -> PartnerSettings:
    """Read the environment, then the file of the embedded stack; raises pydantic's `ValidationError`."""
    # Required fields come from the environment, which the constructor's signature cannot show.
    return PartnerSettings(_env_file=data_dir() / "env")  # pyright: ignore[reportCallIssue]
