from datetime import timedelta
from pathlib import Path

import pytest

from domain.keyring import generate
from runtime.settings import ENV_PREFIX, SettingsError, load_settings

RING = generate()
VALID = {
    "DATABASE_APP_URL": "postgresql+asyncpg://kawal_app:secret-app@127.0.0.1:5432/kawal",
    "DATABASE_WORKER_URL": "postgresql+asyncpg://kawal_worker:secret-worker@127.0.0.1:5432/kawal",
    "CIVIL_REGISTRY_URL": "http://127.0.0.1:9001/",
    "CIVIL_REGISTRY_TOKEN": "registry-token",
    "MINISTRY_URL": "http://127.0.0.1:9001/ministry",
    "MINISTRY_TOKEN": "ministry-token",
    "MINISTRY_WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "TOKEN_SIGNING_KEY": "s" * 48,
    "FIELD_KEYS": RING,
    "INDEX_KEYS": RING,
    "CODEC_KEYS": RING,
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in VALID.items():
        monkeypatch.setenv(ENV_PREFIX + name, value)
    return monkeypatch


def test_settings_come_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("KAWAL_TOKEN_TTL", "PT30M")
    settings = load_settings()
    assert settings.token_ttl == timedelta(minutes=30)
    assert settings.civil_registry_url == "http://127.0.0.1:9001"
    assert settings.sandboxed
    assert settings.field_keys.active_key_id == "k1"


def test_the_environment_wins_over_the_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("KAWAL_API_PORT=9100\nKAWAL_LOG_LEVEL=debug\nKAWAL_PG_PORT=5\n")
    environment.setenv("KAWAL_API_PORT", "9200")
    settings = load_settings(file)
    assert (settings.api_port, settings.log_level) == (9200, "debug")


def test_every_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VALID:
        monkeypatch.delenv(ENV_PREFIX + name, raising=False)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert all(f"{ENV_PREFIX}{name}: is missing" in str(refused.value) for name in VALID)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATABASE_APP_URL", "postgresql://kawal_app:hunter2@127.0.0.1/kawal", "postgresql+asyncpg://"),
        ("DATABASE_APP_URL", "postgresql+asyncpg://hunter2/kawal", "user, host and database"),
        ("MINISTRY_WEBHOOK_SECRET", "hunter2hunter2", "whsec_"),
        ("MINISTRY_URL", "hunter2", "http://"),
        ("TOKEN_SIGNING_KEY", "hunter2", "at least 32"),
        ("FIELD_KEYS", "k1:hunter2!", "not standard base64"),
        ("CODEC_KEYS", "hunter2", "entry 1"),
        ("INDEX_KEYS", "k1:aGk=", "2 bytes"),
        ("TOKEN_TTL", "P9D", "1 day"),
        ("RATE_PUBLIC", "hunter2", "600/minute"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,hunter2", "entry 2 is neither an address nor a network"),
        ("API_PORT", "hunter2", "integer"),
        ("TEMPORAL_ADDRESS", "hunter2", "host:port"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not_shown(
    environment: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    environment.setenv(ENV_PREFIX + name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert f"{ENV_PREFIX}{name}: " in str(refused.value)
    assert said in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.usefixtures("environment")
def test_no_secret_shows_in_the_repr_of_the_settings() -> None:
    text = repr(load_settings())
    for name in ("DATABASE_APP_URL", "MINISTRY_WEBHOOK_SECRET", "TOKEN_SIGNING_KEY"):
        assert VALID[name] not in text
    assert RING.partition(":")[2] not in text
