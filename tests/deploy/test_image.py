"""The Dockerfile, read as text: pinned, from locked wheels, nobody's root, nothing secret."""

from __future__ import annotations

import re

from tests.deploy.compose import TREE, services

DOCKERFILE = (TREE / "Dockerfile").read_text()
INSTRUCTIONS = [
    line.split(maxsplit=1)
    for line in re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE)).splitlines()
    if line
]
FINAL = INSTRUCTIONS[max(index for index, (word, _) in enumerate(INSTRUCTIONS) if word == "FROM") :]


def _user() -> str:
    return next(rest for word, rest in FINAL if word == "USER")


def test_every_stage_starts_from_one_pinned_python() -> None:
    bases = {rest.split()[0] for word, rest in INSTRUCTIONS if word == "FROM"}

    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-[a-z]+", bases.pop())


def test_image_runs_as_nobody_in_particular() -> None:
    users = [rest for word, rest in FINAL if word == "USER"]

    assert len(users) == 1
    uid, gid = users[0].split(":")
    assert int(uid) > 0
    assert int(gid) > 0


def test_libraries_come_as_wheels_with_the_locked_hashes() -> None:
    install = next(rest for word, rest in INSTRUCTIONS if word == "RUN" and "pip" in rest)

    assert "--require-hashes" in install
    assert "--only-binary :all:" in install
    assert "requirements.lock" in install


def test_last_stage_installs_nothing() -> None:
    assert not [rest for word, rest in FINAL if word in {"RUN", "ADD"}]
    copied = [rest for word, rest in FINAL if word == "COPY"]
    assert copied == ["--from=build /app /app", f"--from=build --chown={_user()} /evidence /var/lib/kawal/evidence"]


def test_no_secret_is_baked_in() -> None:
    assert not [rest for word, rest in INSTRUCTIONS if word == "ARG"]
    baked = " ".join(rest for word, rest in INSTRUCTIONS if word == "ENV")

    assert "KAWAL_" not in baked
    assert "PYTHONDONTWRITEBYTECODE=1" in baked


def test_image_says_how_it_is() -> None:
    assert any(word == "HEALTHCHECK" and "/healthz" in rest for word, rest in FINAL)


def test_image_takes_in_what_its_processes_run_and_nothing_else() -> None:
    lines = (TREE / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    allowed = {pattern[1:] for pattern in patterns if pattern.startswith("!")}
    packages = {file.parent.name for file in TREE.glob("*/__init__.py")} - {"bench", "docs", "tests"}
    compiled = re.search(r"compileall -q ([a-z. ]+)$", " ".join(rest for word, rest in INSTRUCTIONS if word == "RUN"))

    assert patterns[0] == "*"
    assert allowed == packages | {"cli.py", "worker.py", "requirements.lock", "LICENSE", "NOTICE"}
    assert compiled is not None
    assert set(compiled[1].split()) == packages | {"cli.py", "worker.py"}


def test_compose_builds_this_image_for_each_of_kawals_processes() -> None:
    built = {name for name, service in services().items() if service.get("build") == {"context": "."}}

    assert built == {"api", "worker", "migrate", "operator"}
