"""`python -m devstack.advisories`: whether an advisory was published about a library that is locked.

Asked of OSV (https://osv.dev), which holds the advisories of PyPI, GitHub and the Python Software Foundation, by
pip-audit. OSV is told the names and versions of the libraries, which are public, and nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

_TREE: Final = Path(__file__).resolve().parent.parent
_OSV: Final = "https://api.osv.dev/v1/query"
_UNREACHED: Final = "Advisories: OSV cannot be reached, so nothing is known about published vulnerabilities.\n"


def main(osv_url: str = _OSV, *, required: bool = False) -> int:
    """The exit code: 1 with every advisory that is not accepted, and where they cannot be had but are `required`."""
    told = subprocess.run(_command(osv_url), cwd=_TREE, capture_output=True, text=True, check=False)  # noqa: S603  our own words
    try:
        libraries = json.loads(told.stdout)["dependencies"]
    except ValueError:
        sys.stderr.write(_UNREACHED + (told.stderr if required else ""))
        return int(required)
    found = [_line(library, advisory) for library in libraries for advisory in library.get("vulns", ())]
    unknown = [library["name"] for library in libraries if "skip_reason" in library]
    sys.stderr.writelines(found)
    sys.stdout.write(f"Advisories: {len(found)} about {len(libraries) - len(unknown)} libraries.\n")
    return int(bool(found or unknown))


def _command(osv_url: str) -> list[str]:
    accepted = [argument for advisory in _accepted() for argument in ("--ignore-vuln", advisory)]
    asked = ["--requirement", "requirements-dev.lock", "--require-hashes", "--disable-pip"]
    service = ["--vulnerability-service", "osv", "--osv-url", osv_url, "--timeout", "10"]
    return [sys.executable, "-m", "pip_audit", *asked, *service, *accepted, "--format", "json"]


def _accepted() -> dict[str, str]:
    """Advisories that do not concern Kawal, each with its reason."""
    project = tomllib.loads((_TREE / "pyproject.toml").read_text())
    return project["tool"]["kawal"]["accepted-advisories"]


def _line(library: dict[str, Any], advisory: dict[str, Any]) -> str:
    mended = ", ".join(advisory["fix_versions"]) or "no version yet"
    return f"{library['name']} {library['version']}: {advisory['id']}, mended in {mended}. {advisory['description']}\n"


if __name__ == "__main__":
    sys.exit(main(required="--required" in sys.argv[1:]))
