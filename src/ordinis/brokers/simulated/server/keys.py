"""Who may talk to the server."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """An API key and its secret; neither shows in a repr."""

    key: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def made_up(cls) -> Keys:
        return cls(key="SIM" + secrets.token_hex(8).upper(), secret=secrets.token_urlsafe(24))

    def admit(self, key: object, secret: object) -> bool:
        """Compared in constant time."""
        if not isinstance(key, str) or not isinstance(secret, str):
            return False
        same_key = secrets.compare_digest(key.encode(), self.key.encode())
        return secrets.compare_digest(secret.encode(), self.secret.encode()) and same_key
