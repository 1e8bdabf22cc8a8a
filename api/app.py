"""The HTTP application: `uvicorn --factory api.app:create_app`."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api import codec, operations, problems, public, v1
from api.browsers import Site
from api.front import Front, lifetime_of
from api.headers import SecurityHeaders
from api.limits import BodyLimit
from api.methods import AnswerHead, Methods
from api.openapi import describe
from api.rates import RateLimits, Rates
from api.refusals import Refusals
from api.request_log import RequestLog
from api.resumable import Resumable
from api.route_names import RouteNames
from api.security.foreign_tokens import ForeignTokens
from api.security.passwords import PasswordHasher
from api.security.tokens import TokenIssuer
from db.repositories.rules import Rules
from db.session import Database
from db.vault import Vault
from domain.identity import nik_warnings
from runtime.engine import Engine, connect
from runtime.evidence.room import EvidenceRoom
from runtime.heap import settle_heap
from runtime.logging import configure_logging
from runtime.oidc.provider import Provider
from runtime.settings import Settings, get_settings
from services.kawal import Kawal
from services.key_use import KeyUses
from services.session_use import SessionUses

_SOME_NIK = "3206130101900001"


def create_app(settings: Settings | None = None, *, kawal: Kawal | None = None) -> FastAPI:
    """The application under `settings`; unless they are given, under the process's own, with its logs.

    It starts although the engine or the database is down, and answers 503 until they are there. A `kawal` that is
    given is the caller's to close.
    """
    chosen = settings or _settings_of_process()
    rates = Rates(chosen)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        # The area table behind this takes 0.3 s to load, which no operator should wait for.
        nik_warnings(_SOME_NIK)
        passwords = PasswordHasher()
        root = kawal or await open_kawal(chosen)
        key_uses = KeyUses(root.database)
        foreign = ForeignTokens(Provider(issuer) for issuer in chosen.oidc_issuers)
        session_uses = SessionUses(root.database, lifetime_of(chosen))
        issuer = token_issuer(chosen)
        app.state.front = Front(root, chosen, issuer, passwords, rates, key_uses, foreign, session_uses)
        if kawal is None:
            settle_heap()
        yield
        passwords.close()
        await key_uses.settle()
        await session_uses.settle()
        await foreign.close()
        if kawal is None:
            await root.engine.close()
            await root.database.close()
            await root.evidence.archive.close()

    app = FastAPI(
        title="Kawal",
        summary="Every household update escorted from the village to the registry.",
        version="1",
        lifespan=lifespan,
        redoc_url=None,
        # A slash too many is another address: a redirect would send the client to whatever host its request named.
        redirect_slashes=False,
    )
    methods = Methods(app)
    problems.install(app, methods=methods)
    for subject in v1.ROUTERS:
        app.include_router(subject, prefix=v1.PREFIX)
    app.include_router(public.router)
    app.include_router(codec.router)
    # The last one added is the outermost: answers to defects get their headers too, and metrics see every answer.
    app.add_middleware(AnswerHead, methods=methods)
    app.add_middleware(BodyLimit, most_bytes_of_file=chosen.evidence_max_bytes)
    app.add_middleware(RateLimits, rates=rates)
    app.add_middleware(Refusals, names=RouteNames(app))
    app.add_middleware(Resumable)
    app.add_middleware(RequestLog, names=RouteNames(app))
    app.add_middleware(codec.CodecCors, origins=chosen.temporal_ui_origins)
    app.add_middleware(SecurityHeaders, https=Site.of(chosen).is_https)
    operations.install(app)
    app.add_middleware(cast("Any", ProxyHeadersMiddleware), trusted_hosts=list(chosen.trusted_proxies))
    return describe(app)


def _settings_of_process() -> Settings:
    settings = get_settings()
    configure_logging("api", level=settings.log_level, fmt=settings.log_format)
    # RequestLog writes a line for each request, and unlike the server's own it shows no address.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    return settings


async def open_kawal(settings: Settings) -> Kawal:
    """The services' root. Connects to neither the database nor the engine before somebody asks for something."""
    return Kawal(
        database=Database(
            settings.database_app_url.get_secret_value(),
            application="kawal-api",
            pool_size=settings.database_app_pool_size,
        ),
        vault=Vault(settings.field_keys, settings.index_keys),
        rules=Rules(),
        engine=Engine(await connect(settings), queue_prefix=settings.task_queue_prefix),
        evidence=EvidenceRoom.of(settings),
    )


def token_issuer(settings: Settings) -> TokenIssuer:
    """The local issuer under these settings."""
    return TokenIssuer(
        settings.token_signing_key.get_secret_value().encode(),
        issuer=settings.public_url,
        audience="kawal",
        ttl=settings.token_ttl,
    )
