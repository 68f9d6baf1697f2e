"""The Basic scheme of HTTP authentication (RFC 7617)."""

import base64


def basic(user: str, password: str) -> str:
    """The value of the `Authorization` header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
