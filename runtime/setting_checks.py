"""What a single setting must look like. A check gives the value back or says what is wrong without it."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationInfo

from domain.keyring import IndexRing, KeyRing
from domain.signing import SigningRing

MIN_SIGNING_KEY_CHARACTERS = 32
_RATE = re.compile(r"[1-9][0-9]{0,8}/(second|minute|hour|day)")
MIN_WEBHOOK_SECRET_BYTES = 24
"""Standard Webhooks: a symmetric secret has 24 to 64 bytes."""


def check_asyncpg_url(url: SecretStr) -> SecretStr:
    """The plain scheme would mean another driver in SQLAlchemy 2.1, so only the full one is taken."""
    parts = urlsplit(url.get_secret_value())
    if parts.scheme != "postgresql+asyncpg":
        raise ValueError("must begin with postgresql+asyncpg://")
    if not (parts.hostname and parts.username and parts.path.strip("/")):
        raise ValueError("must name user, host and database")
    return url


def check_base_url(url: str) -> str:
    """An absolute HTTP URL, given back without a slash at its end."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http:// or https:// URL")
    return url.rstrip("/")


def check_host_port(address: str) -> str:
    """`host:port`, as the Temporal client takes it."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError("must be host:port")
    return address


def check_signing_key(key: SecretStr) -> SecretStr:
    """HS256 wants a key at least as long as its digest (RFC 7518, 3.2)."""
    if len(key.get_secret_value()) < MIN_SIGNING_KEY_CHARACTERS:
        raise ValueError(f"must have at least {MIN_SIGNING_KEY_CHARACTERS} characters")
    return key


def check_webhook_secret(secret: SecretStr) -> SecretStr:
    """`whsec_` and base64, the form of Standard Webhooks."""
    text = secret.get_secret_value()
    try:
        raw = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raw = b""
    if not text.startswith("whsec_") or len(raw) < MIN_WEBHOOK_SECRET_BYTES:
        raise ValueError(f"must be whsec_ followed by base64 of at least {MIN_WEBHOOK_SECRET_BYTES} bytes")
    return secret


def parse_rate(value: object) -> object:
    """A rate such as `600/minute`, given back as it is; None for `off`."""
    if value is None or value == "off":
        return None
    if not isinstance(value, str) or not _RATE.fullmatch(value):
        raise ValueError("must be a number of requests and a time, as in 600/minute, or off")
    return value


def parse_json(value: object) -> object:
    """A list as JSON; an empty text is an empty list."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else []
    except ValueError:
        raise ValueError("must be a list as JSON") from None


def parse_networks(value: object) -> object:
    """Addresses and networks out of their list, separated by commas."""
    if not isinstance(value, str):
        return value
    networks = [part.strip() for part in value.split(",") if part.strip()]
    for place, network in enumerate(networks, start=1):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise ValueError(f"entry {place} is neither an address nor a network such as 10.0.0.0/8") from None
    return tuple(networks)


def parse_origins(value: object) -> object:
    """Origins (scheme, host and port) out of their list, separated by commas."""
    if not isinstance(value, str):
        return value
    origins = [part.strip() for part in value.split(",") if part.strip()]
    for place, origin in enumerate(origins, start=1):
        if not re.fullmatch(r"https?://[^/?#\s@]+", origin):
            raise ValueError(f"entry {place} is no origin such as https://temporal.example")
    return tuple(origins)


def check_store(place: str) -> str:
    """A bucket, or a folder by its absolute path; empty for the folder beside the other data."""
    parts = urlsplit(place)
    if place and not (parts.scheme == "s3" and parts.netloc) and not place.startswith(("/", "file:///")):
        raise ValueError("must be s3://bucket/prefix, or an absolute path of a folder")
    return place


def check_scanner(address: str | None) -> str | None:
    """The address of clamd."""
    parts = urlsplit(address or "")
    if (
        address is not None
        and not (parts.scheme == "tcp" and parts.hostname)
        and not (parts.scheme == "unix" and parts.path.startswith("/"))
    ):
        raise ValueError("must be tcp://host:port, or unix:///path")
    return address


def none_if_empty(value: object) -> object:
    """Nothing for an empty text, as compose files hand over what is not set."""
    return None if value == "" else value


def parse_key_ring(value: object, info: ValidationInfo) -> object:
    """A ring from its text form; anything else goes on to the type check."""
    return KeyRing.parse(value, setting=_variable(info)) if isinstance(value, str) else value


def parse_index_ring(value: object, info: ValidationInfo) -> object:
    """The same for the ring of the blind indexes."""
    return IndexRing.parse(value, setting=_variable(info)) if isinstance(value, str) else value


def parse_signing_ring(value: object, info: ValidationInfo) -> object:
    """The same for the ring that signs checkpoints."""
    return SigningRing.parse(value, setting=_variable(info)) if isinstance(value, str) else value


def _variable(info: ValidationInfo) -> str:
    return f"KAWAL_{(info.field_name or '').upper()}"
