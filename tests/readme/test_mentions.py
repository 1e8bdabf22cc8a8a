"""What README.md names exists: targets of make, files, links, commands, settings, accounts."""

from __future__ import annotations

import re
from importlib import import_module

from cli import COMMANDS
from devstack.demo_people import ACCOUNTS, PASSWORD
from devstack.environment import StackSettings
from runtime.settings import ENV_PREFIX, Settings
from tests.readme.tour import README, TREE, blocks

TEXT = README.read_text()
BLOCKS = re.findall(r"^```sh[^\n]*\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
CODE = [
    *re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", TEXT, flags=re.MULTILINE | re.DOTALL)),
    *(line for block in BLOCKS for line in block.splitlines()),
]


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (TREE / "Makefile").read_text(), flags=re.MULTILINE))
    named = {match[1] for match in (re.match(r"make ([a-z-]+)", word) for word in CODE) if match}

    assert {"up", "test", "demo"} <= named <= targets


def test_every_file_exists() -> None:
    kept_out = {".kawal/", ".kawal/log/", ".kawal/env", ".venv/bin/kawal", "bench/results.json"}
    places = {
        word
        for word in CODE
        if re.fullmatch(r"\.?[\w-]+(/[\w.-]+)*/|[\w./-]+\.(py|sql|sh|yml|md|lock|json)|[\w.]+/[\w./-]+", word)
    }

    assert {"domain/", "domain/lifecycle.py", "docker-compose.yml"} <= places
    assert [place for place in places - kept_out if not (TREE / place).exists()] == []


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", TEXT)

    assert links
    assert [link for link in links if not (TREE / link).exists()] == []


def test_every_kawal_command_exists() -> None:
    pattern = re.compile(r"(?:^|[ (])(?:\.venv/bin/kawal|kawal|--rm operator) ([a-z]+)(?: ([a-z]+))?")
    spoken = {(match[1], match[2]) for word in CODE for match in pattern.finditer(word)}

    assert ("audit", "verify") in spoken
    for group, command in spoken:
        module, _, attribute = COMMANDS[group].partition(":")
        names = [registered.name for registered in getattr(import_module(module), attribute).registered_commands]
        assert command is None or command in names, f"kawal {group} {command}"


def test_every_setting_exists_with_the_default_that_is_shown() -> None:
    fields = Settings.model_fields | StackSettings.model_fields
    known = {f"{ENV_PREFIX}{name.upper()}" for name in fields} | {f"{ENV_PREFIX}API_URL"}
    shown = [
        (setting, default.strip())
        for settings, defaults in re.findall(r"^\| (`KAWAL_.*?) \| (.*?) \|", TEXT, flags=re.MULTILINE)
        for setting, default in zip(re.findall(r"`(\w+)`", settings), defaults.split(","), strict=True)
        if setting.endswith("_PORT")
    ]

    assert set(re.findall(r"KAWAL_[A-Z_]+\b", TEXT)) <= known
    assert len(shown) == 7
    for setting, default in shown:
        assert default == str(StackSettings.model_fields[setting.removeprefix(ENV_PREFIX).lower()].default)


def test_everybody_who_takes_part_has_an_account() -> None:
    names = {account.username for account in ACCOUNTS}
    taking_part = set(re.findall(r"\b(?:as|task) ([a-z][a-z.]+)", "".join(block.script for block in blocks(TEXT))))

    assert {"operator.taraju", "kadis"} <= taking_part <= names
    assert f"password={PASSWORD}" in TEXT
