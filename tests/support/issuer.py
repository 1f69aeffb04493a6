"""An issuer as a hospital runs one: a real HTTP server with a discovery document, keys, and tokens signed with them."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from service.clock import real_now
from service.settings import Settings
from tests.support.web import listening

AUDIENCE = "wardwatch-api"
ROLES = {"nurse": "clinician", "sister": "lead", "records": "auditor", "it": "administrator"}
Key = RSAKey | ECKey


class Issuer:
    """Listens on this machine. `keys` are the public keys it shows, by id; `asked` are the paths it was asked for.

    `down` answers 503 to everything."""

    def __init__(self) -> None:
        self.signing: Key = ECKey.generate_key("P-256")
        self.keys: dict[str, dict[str, Any]] = {}
        self.show("one", self.signing)
        self.asked: list[str] = []
        self.down = False
        self.discovery: dict[str, Any] = {}
        self.url = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """One request."""
        self.asked.append(request.path)
        found = None if self.down else self.documents().get(request.path)
        request.send_response(503 if self.down else 404 if found is None else 200)
        request.end_headers()
        request.wfile.write(json.dumps(found).encode())

    def documents(self) -> dict[str, Any]:
        """What is found under each path."""
        discovery = {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **self.discovery}
        return {
            "/realms/ward/.well-known/openid-configuration": discovery,
            "/realms/ward/keys": {"keys": list(self.keys.values())},
        }

    def show(self, key_id: str, key: Key, **more: Any) -> None:
        """Put a public key among those that are shown."""
        self.keys[key_id] = {**key.as_dict(private=False), "kid": key_id, "use": "sig", **more}

    def rotate(self, key_id: str) -> None:
        """From now on sign with another key, and show only that."""
        self.signing = ECKey.generate_key("P-256")
        self.keys.clear()
        self.show(key_id, self.signing)

    def claims(self, subject: str = "f:1:sam", **more: Any) -> dict[str, Any]:
        """Claims of a good token; those that are None are left out."""
        now = int(real_now().timestamp())
        found = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": now,
            "exp": now + 300,
            "name": "Sam Elsewhere",
        }
        return {name: value for name, value in {**found, **more}.items() if value is not None}

    def token(self, subject: str = "f:1:sam", header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token signed with the present key."""
        (key_id,) = self.keys or ("one",)
        whole = {"alg": "ES256", "kid": key_id, "typ": "at+jwt", **(header or {})}
        whole = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(whole, self.claims(subject, **claims), self.signing, algorithms=[whole["alg"]])


@contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer, as long as the block lasts."""
    issuer = Issuer()
    with listening(issuer.answer) as port:
        issuer.url = f"http://127.0.0.1:{port}/realms/ward"
        yield issuer


def configured(settings: Settings, at: Issuer, **more: Any) -> Settings:
    """The settings with this issuer: roles from the claim `roles`, wards from `wards`."""
    one = {
        "issuer": at.url, "audience": AUDIENCE, "role_claim": "roles", "ward_claim": "wards",
        "roles": ROLES, "algorithms": ["ES256", "RS256"], **more,
    }  # fmt: skip
    return dataclasses.replace(settings, oidc_issuers=json.dumps([one]))
