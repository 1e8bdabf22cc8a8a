"""Browsers that are signed in: their cookie, and that what they change comes from a page of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from fastapi import Request, Response
from fastapi.security import APIKeyCookie

from domain.errors import CrossSiteRequest
from domain.sites import is_from_site, origin_of
from runtime.settings import Settings

SESSION: Final = "kawal_session"
LOGIN: Final = "kawal_login"
"""Who is on the way to another issuer and back."""
HOST_PREFIX: Final = "__Host-"
LOGIN_SECONDS: Final = 600
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

cookie_scheme = APIKeyCookie(
    name=HOST_PREFIX + SESSION,
    auto_error=False,
    description="The session of a browser (POST /v1/auth/browser). Never together with an access token.",
)


@dataclass(frozen=True, slots=True)
class Site:
    """Where browsers reach this service.

    The prefix `__Host-` has browsers take a cookie only over TLS, from this host itself and for all of it, so that no
    neighbour under the same domain can plant one. SameSite is Lax and not Strict: else whoever comes back from their
    issuer, or follows a link in a mail, would not be signed in at the first page.
    """

    origin: str
    secure: bool

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The site that the settings name."""
        return cls(origin_of(settings.public_url) or settings.public_url, secure=not settings.insecure_cookies)

    @property
    def is_https(self) -> bool:
        """Whether people reach it over TLS."""
        return self.origin.startswith("https:")

    def cookie(self, request: Request, name: str) -> str | None:
        """The value of a cookie of ours."""
        return request.cookies.get(self._named(name))

    def set_cookie(self, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        """Give the browser a cookie that no script reads; without `seconds` it is gone when the browser is closed."""
        response.set_cookie(
            self._named(name), value, max_age=seconds, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def forget_cookie(self, response: Response, name: str) -> None:
        """Have the browser forget a cookie."""
        response.delete_cookie(self._named(name), path="/", secure=self.secure, httponly=True, samesite="lax")

    def require_own_page(self, request: Request) -> None:
        """Raise CrossSiteRequest where a page of another site, or nobody known, has a browser do something."""
        headers = request.headers
        own = is_from_site(
            self.origin,
            fetch_site=headers.get("sec-fetch-site"),
            origin=headers.get("origin"),
            referer=headers.get("referer"),
        )
        if not own:
            raise CrossSiteRequest(f"What a browser does here has to come from a page of {self.origin}.")

    def _named(self, name: str) -> str:
        return HOST_PREFIX + name if self.secure else name
