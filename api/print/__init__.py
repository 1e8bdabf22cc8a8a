"""Pages to be printed on A4, in Indonesian: everything that a template shows is escaped, and no script runs in one."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.print.words import GROUPS, OUTCOMES, ROLES, day_in_words
from domain.public_words import KIND_LABELS

_PAGES: Final = Environment(
    loader=PackageLoader("api.print", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_STYLE: Final = _PAGES.get_template("page.css").render()
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_PAGES.filters["in_words"] = day_in_words
_WORDS: Final = {"style": _STYLE, "groups": GROUPS, "outcomes": OUTCOMES, "roles": ROLES, "kinds": KIND_LABELS}
_HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "Content-Language": "id",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
}


def page(template: str, **content: object) -> HTMLResponse:
    """A page of a template with its content, which is not kept by anybody on the way."""
    return HTMLResponse(_PAGES.get_template(template).render(**_WORDS, **content), headers=_HEADERS)
