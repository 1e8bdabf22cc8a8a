"""Whether a browser was told to do something by a page of the site itself: by fetch metadata, Origin and Referer."""

from __future__ import annotations

from urllib.parse import urlsplit


def origin_of(url: str) -> str | None:
    """Scheme, host and port of an address, as browsers write an origin; None for what has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" if port in {None, usual} else f"{parts.scheme}://{host}:{port}"


def is_from_site(site: str, *, fetch_site: str | None, origin: str | None, referer: str | None) -> bool:
    """Whether a request comes from a page of `site`, which is an origin.

    `fetch_site` is the header Sec-Fetch-Site, which a page cannot forge; a browser that does not send it sends Origin
    with what changes something, or Referer at least. What carries none of them is not known to come from the site.
    """
    if fetch_site is not None and fetch_site != "same-origin":
        return False
    if origin is not None:
        return origin == site
    return referer is not None and origin_of(referer) == site
