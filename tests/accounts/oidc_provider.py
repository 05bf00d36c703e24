"""A little OpenID Connect provider on the loopback interface: discovery, keys, token and userinfo, with real RS256."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "second-look", "the-secret-of-the-client"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class OidcProvider:
    """What it says is up to the test: `claims` go into the ID token, `userinfo` into the other answer."""

    issuer: str = ""
    key: rsa.RSAPrivateKey = field(default_factory=new_key)
    signing_key: rsa.RSAPrivateKey | None = None
    kid: str = "one"
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def documents(self, path: str) -> Any:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {
            "/.well-known/openid-configuration": {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }
            | self.discovery,
            "/keys": {"keys": [public | {"kid": self.kid, "use": "sig", "alg": "RS256"}]},
            "/userinfo": self.userinfo,
        }.get(path)

    def authorize(self, address: str) -> str:
        """What a person's browser brings back from the provider: the query with code and state."""
        asked = dict(parse_qsl(urlsplit(address).query))
        code = f"code-{len(self.asked)}"
        self.asked[code] = asked
        return f"code={code}&state={asked['state']}"

    def token(self, body: dict[str, list[str]], authorization: str) -> Any:
        asked = self.asked.pop(body["code"][0], None)
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked is None or authorization != expected:
            return None
        digest = base64.urlsafe_b64encode(hashlib.sha256(body["code_verifier"][0].encode()).digest()).rstrip(b"=")
        if digest.decode() != asked["code_challenge"] or body["redirect_uri"][0] != asked["redirect_uri"]:
            return None
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        if "max_age" in asked:
            usual["auth_time"] = now
        claims = {name: value for name, value in (usual | self.claims).items() if value is not None}
        key: Any = self.signing_key or self.key
        if self.algorithm == "HS256":
            key = "a-key-that-the-attacker-knows-too-32b"
        if self.algorithm == "none":
            key = None
        headers = {"kid": self.kid} | self.headers
        return {"access_token": "at", "id_token": jwt.encode(claims, key, algorithm=self.algorithm, headers=headers)}


@contextmanager
def running() -> Iterator[OidcProvider]:
    provider = OidcProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.seen.append(self.path)
            self.answer(provider.documents(self.path))

        def do_POST(self) -> None:
            provider.seen.append(self.path)
            body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.answer(provider.token(body, self.headers.get("Authorization", "")))

        def answer(self, found: Any) -> None:
            data = json.dumps(found).encode()
            self.send_response(400 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield provider
    server.shutdown()
    server.server_close()
    thread.join()
