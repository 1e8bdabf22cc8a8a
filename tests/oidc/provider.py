"""The OpenID Connect provider of IdentityPython, on loopback: what it issues, signs and publishes is its own doing.

Ours are the socket in front of it, whom its access tokens are for, and who is sitting before the browser.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import httpx2

CLIENT, SECRET = "kawal-web", "a secret that the provider and Kawal share"
AUDIENCE: Final = "https://kawal.example.go.id/api"
CALLBACK: Final = "http://127.0.0.1:9/callback"
"""Where the client of a test, which is no browser, has codes sent to."""

_KEYS: Final = [{"type": "RSA", "use": ["sig"]}, {"type": "EC", "crv": "P-256", "use": ["sig"]}]
_FOR_CODES: Final = {"key_defs": [{"type": "OCT", "use": ["enc"], "kid": kid} for kid in ("password", "salt")]}
_VERIFIER: Final = "v" * 64
_PATHS: Final = {
    "/.well-known/openid-configuration": "provider_config",
    "/authorization": "authorization",
    "/token": "token",
}


class OpenIdProvider:
    """A provider that listens, until it is stopped. `people` are the claims of whoever can sign in, by name."""

    def __init__(self, folder: Path, *, lifetime: int = 3600, algorithm: str = "RS256") -> None:
        self.people: dict[str, dict[str, Any]] = {"siti": {"email": "siti@example.go.id", "email_verified": True}}
        self.audience = AUDIENCE
        self.more_claims: dict[str, Any] = {}
        self.asked: list[str] = []
        self._http: ThreadingHTTPServer | None = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._port: int = self._http.server_port
        self.url = f"http://127.0.0.1:{self._port}"
        self._server = self._configured(folder, lifetime=lifetime, algorithm=algorithm)
        self._serve(self._http)

    def add_client(self, client_id: str, *, callback: str, secret: str = SECRET) -> None:
        """Let a client send people here and have them sent back to `callback`."""
        self._server.context.cdb[client_id] = {
            "client_id": client_id,
            "client_secret": secret,
            "redirect_uris": [(callback, None)],
            "response_types_supported": ["code"],
            "token_endpoint_auth_method": "client_secret_basic",
            "allowed_scopes": ["openid", "email", "profile"],
        }

    def sit_down(self, name: str) -> None:
        """Who is before the browser from now on."""
        self._server.context.authn_broker["user"]["method"].user = name

    def token_of(self, name: str, *, kind: str = "access_token") -> str:
        """A token that the provider gives to a client of its own for somebody, by the code flow over HTTP."""
        self.sit_down(name)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(_VERIFIER.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "client_id": CLIENT,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid email profile",
            "state": "some state",
            "nonce": "some nonce",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        with httpx2.Client(base_url=self.url, trust_env=False) as client:
            sent_back = client.get("/authorization", params=asked)
            code = dict(parse_qsl(urlsplit(sent_back.headers["location"]).query))["code"]
            form = {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": CALLBACK,
                "code_verifier": _VERIFIER,
            }
            return client.post("/token", data=form, auth=(CLIENT, SECRET)).json()[kind]

    def public_keys(self) -> list[dict[str, Any]]:
        """What anybody may know of its keys."""
        return self._server.keyjar.export_jwks(issuer_id="")["keys"]

    def rotate(self) -> None:
        """Sign with new keys from now on, and publish these alone."""
        jars = import_module("cryptojwt.key_jar")
        fresh = jars.build_keyjar(_KEYS)
        fresh.import_jwks(fresh.export_jwks(private=True, issuer_id=""), self.url)
        for owner in ("", self.url):
            self._server.keyjar.set(owner, fresh.return_issuer(issuer_id=owner))

    def stop(self) -> None:
        """Be down: connections are refused."""
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    def start(self) -> None:
        """Be there again, at the same address with the same keys."""
        self._http = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        self._serve(self._http)

    def _serve(self, http: ThreadingHTTPServer) -> None:
        threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def _configured(self, folder: Path, *, lifetime: int, algorithm: str) -> Any:
        oidc, tokens = "idpyoidc.server.oidc", "idpyoidc.server.token"
        endpoints: Any = {
            "provider_config": {
                "path": ".well-known/openid-configuration",
                "class": f"{oidc}.provider_config.ProviderConfiguration",
                "kwargs": {},
            },
            "authorization": {
                "path": "authorization",
                "class": f"{oidc}.authorization.Authorization",
                "kwargs": {"response_types_supported": ["code"]},
            },
            "token": {
                "path": "token",
                "class": f"{oidc}.token.Token",
                "kwargs": {"client_authn_method": ["client_secret_basic"]},
            },
        }
        of_token = {"lifetime": lifetime, "alg": algorithm, "add_claims_by_scope": True}
        configuration: Any = {
            "issuer": self.url,
            "keys": {"uri_path": "jwks.json", "key_defs": _KEYS},
            "token_handler_args": {
                "code": {"lifetime": 60, "kwargs": {"crypt_conf": {"kwargs": {"keys": _FOR_CODES, "iterations": 1}}}},
                "token": {"class": f"{tokens}.jwt_token.JWTToken", "kwargs": of_token},
                "id_token": {"class": f"{tokens}.id_token.IDToken", "kwargs": {"add_claims_by_scope": True}},
            },
            "endpoint": endpoints,
            "authentication": {
                "user": {
                    "acr": "urn:oasis:names:tc:SAML:2.0:ac:classes:InternetProtocolPassword",
                    "class": "idpyoidc.server.user_authn.user.NoAuthn",
                    "kwargs": {"user": "siti"},
                }
            },
            "userinfo": {"class": "idpyoidc.server.user_info.UserInfo", "kwargs": {"db": self.people}},
            "add_ons": {
                "pkce": {
                    "function": "idpyoidc.server.oauth2.add_on.pkce.add_support",
                    "kwargs": {"essential": True, "code_challenge_method": "S256"},
                }
            },
        }
        server = import_module("idpyoidc.server").Server(configuration, cwd=str(folder))
        self._server = server
        self.people = server.context.userinfo.db
        server.context.session_manager.token_handler.handler["access_token"].load_custom_claims = self._custom_claims
        self.add_client(CLIENT, callback=CALLBACK)
        return server

    def _custom_claims(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Whom the library's access tokens are for, and what they say besides, at the moment when one is made."""
        return payload | {"aud": [self.audience]} | self.more_claims

    def _answer(self, method: str, target: str, headers: Mapping[str, str], form: str) -> tuple[int, Any, str]:
        """Status, headers and body of the provider's answer."""
        path, query = urlsplit(target).path, urlsplit(target).query
        self.asked.append(path)
        if path == "/jwks.json":
            return 200, [("Content-Type", "application/json")], self._server.keyjar.export_jwks_as_json(issuer_id="")
        endpoint = self._server.get_endpoint(_PATHS[path])
        about: Any = {"headers": headers, "method": method, "url": self.url + target, "cookie": []}
        asked = dict(parse_qsl(form or query))
        request: Any = {} if path.startswith("/.well-known") else endpoint.parse_request(asked, http_info=about)
        if "error" in request:
            return 400, [("Content-Type", "application/json")], request.to_json()
        result = endpoint.process_request(request, http_info=about)
        answer = endpoint.do_response(request=request, **result)
        if path == "/authorization":
            return 302, [("Location", answer["response"])], ""
        return answer.get("response_code", 200), answer["http_headers"], answer["response"]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(*provider._answer("GET", self.path, self._headers(), ""))

            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._send(*provider._answer("POST", self.path, self._headers(), form))

            def _headers(self) -> dict[str, str]:
                return {name.lower(): value for name, value in self.headers.items()}

            def _send(self, status: int, headers: Any, body: str) -> None:
                content = body.encode()
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  named so by the library
                del format, args

        return Handler


@contextmanager
def provider_at(folder: Path, **options: Any) -> Generator[OpenIdProvider]:
    """A provider that is down again after the block."""
    provider = OpenIdProvider(folder, **options)
    try:
        yield provider
    finally:
        provider.stop()
