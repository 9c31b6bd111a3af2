"""Credentials: which tokens exist, what they may see, and the calls about them (section 7).

`debug_token` and the token exchange are answered here because they are about nothing else. Which scope a call needs
is decided by its handler, which calls `Token.need`.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

from simulator.server.config import Settings
from simulator.server.errors import GraphError, invalid, make
from simulator.server.graph import GraphRequest, Reply, answer

ALL_SCOPES = ("ads_read", "ads_management", "business_management")
LONG_LIVED_SECONDS = 5_183_944


@dataclass
class Token:
    """A credential.

    Attributes:
        value: What a client sends.
        scopes: Permissions granted.
        accounts: Digits of the accounts it may see; None for all.
        expires_at: Epoch seconds in simulated time; 0 for never.
        error: Name of the catalogue's error that it answers with (a revoked token), or None.
    """

    value: str
    scopes: tuple[str, ...] = ALL_SCOPES
    accounts: frozenset[str] | None = None
    expires_at: int = 0
    issued_at: int = 0
    user_id: str = "122100000000000001"
    name: str = "Simulator System User"
    type: str = "SYSTEM_USER"
    error: str | None = None

    def sees(self, account_id: str | None) -> bool:
        """Returns whether objects of this account are visible to the token."""
        return self.accounts is None or account_id is None or account_id in self.accounts

    def need(self, *any_of: str) -> None:
        """Raises the API's permission error unless one of the scopes was granted."""
        if self.type != "APP" and not set(any_of) & set(self.scopes):
            raise make("business_permission" if "business_management" in any_of else "permission_200")


@dataclass
class TokenStore:
    """All credentials of a process."""

    settings: Settings
    tokens: dict[str, Token] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Adds the default token and the app's own."""
        self.add(Token(self.settings.token))
        app = f"{self.settings.app_id}|{self.settings.app_secret}"
        self.add(Token(app, (), frozenset(), user_id=self.settings.app_id, name="Simulator App", type="APP"))

    def add(self, token: Token) -> None:
        """Adds or replaces a credential."""
        self.tokens[token.value] = token

    def proof(self, value: str) -> str:
        """Returns the `appsecret_proof` of a token: hex HMAC-SHA256 keyed with the app secret."""
        return hmac.new(self.settings.app_secret.encode(), value.encode(), hashlib.sha256).hexdigest()

    def failure(self, token: Token | None, now: float) -> GraphError | None:
        """Returns why a credential is refused at `now` (epoch seconds), or None if it is good."""
        if token is None:
            return make("token_invalid")
        if token.error:
            return make(token.error)
        if token.expires_at and now >= token.expires_at:
            return make("token_expired")
        return None

    def check(self, params: dict[str, Any], now: float) -> Token:
        """Returns the credential of a call.

        Raises:
            GraphError: 2500 without a token, 190 for a bad one, 100 for a missing or wrong proof.
        """
        value = params.get("access_token")
        if not value:
            # Reason: the graph parser, not the token check, notices that there is none.
            raise GraphError(2500, "An active access token must be used to query information about the current user.")
        token = self.tokens.get(str(value))
        if (failure := self.failure(token, now)) is not None:
            raise failure
        proof = params.get("appsecret_proof")
        wrong = proof is not None and not hmac.compare_digest(str(proof), self.proof(str(value)))
        if wrong or (self.settings.require_proof and proof is None):
            raise make("bad_proof")
        assert token is not None
        return token

    def debug(self, request: GraphRequest) -> Reply:
        """Answers `GET /debug_token`: what is known of `input_token`."""
        value = str(request.params.get("input_token") or "")
        if not value:
            raise invalid("The parameter input_token is required")
        now = request.at.timestamp()
        token = self.tokens.get(value)
        failure = self.failure(token, now)
        data: dict[str, Any] = {"is_valid": failure is None, "scopes": []}
        if token is not None:
            targets = None if token.accounts is None else sorted(token.accounts)
            granular = [{"scope": s} | ({"target_ids": targets} if targets else {}) for s in token.scopes]
            data |= {
                "app_id": self.settings.app_id,
                "type": token.type,
                "application": "Simulator",
                "data_access_expires_at": 0,
                "expires_at": token.expires_at,
                "issued_at": token.issued_at,
                "scopes": list(token.scopes),
                "granular_scopes": granular,
                "user_id": token.user_id,
            }
        if failure is not None:
            data["error"] = {"code": failure.code, "message": failure.message} | (
                {"subcode": failure.subcode} if failure.subcode is not None else {}
            )
        return answer({"data": data})

    def exchange(self, request: GraphRequest) -> Reply:
        """Answers `GET /oauth/access_token`: `fb_exchange_token`, `client_credentials` or a dialog's `code`."""
        params = request.params
        if params.get("client_id") != self.settings.app_id:
            raise GraphError(101, "Error validating application. Cannot get application info due to a system error.")
        if params.get("client_secret") != self.settings.app_secret:
            raise GraphError(1, "Error validating client secret.")
        now = int(request.at.timestamp())
        grant = params.get("grant_type")
        if grant == "client_credentials":
            return answer(
                {"access_token": f"{self.settings.app_id}|{self.settings.app_secret}", "token_type": "bearer"}
            )
        if grant == "fb_exchange_token":
            old = self.tokens.get(str(params.get("fb_exchange_token")))
            # Reason: an expired token cannot be exchanged (section 7).
            if (failure := self.failure(old, now)) is not None:
                raise failure
            assert old is not None
            source = old
        elif params.get("code"):
            source = self.tokens[self.settings.token]
        else:
            raise invalid("Missing grant_type or code parameter")
        value = f"EAAS{hashlib.sha256(f'{source.value}{now}'.encode()).hexdigest()[:40]}"
        self.add(
            Token(
                value,
                source.scopes,
                source.accounts,
                now + LONG_LIVED_SECONDS,
                now,
                source.user_id,
                source.name,
                "USER",
            )
        )
        return answer({"access_token": value, "token_type": "bearer", "expires_in": LONG_LIVED_SECONDS})
