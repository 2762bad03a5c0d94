"""Addresses of servers: what can be one, and what must not stand in it or be asked."""

from __future__ import annotations

from urllib.parse import urlsplit

from auditkit.errors import AuditkitError
from auditkit.masked import masked_url

_PATH = "/chat/completions"


def checked_address(base_url: str, told: str = "--audit-endpoint") -> str:
    """Check and normalise the address of an OpenAI-compatible server.

    Parameters
    ----------
    base_url : str
        What ``/chat/completions`` is put after.
    told : str
        Where it was given, for the messages.

    Returns
    -------
    str
        The address without blanks around it and slashes at its end.

    Raises
    ------
    AuditkitError
        For no address, one with a user, a password, a query or a fragment in it, and one that names the whole path.
        What may be secret in it is not repeated.
    """
    url, shown = base_url.strip().rstrip("/"), masked_url(base_url.strip())
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        # Every program must read the same host in it.
        usable = usable and not any(c in url for c in "\\ \t\r\n") and url.isprintable()
    except ValueError:
        usable = False
    if not usable and "@" not in url:
        raise AuditkitError(f"{told}={shown} is not an address.", "Give it as http://host:port/v1 or https://host/v1.")
    if not usable or "@" in url or parts.query or parts.fragment or "?" in url or "#" in url:
        raise AuditkitError(
            f"{told}={shown} has a user, a password or a query in it.",
            "Give the address alone, and the key in the environment: export AUDITKIT_API_KEY=...; a query or an "
            "api-key header goes into an entry of the registry (docs/endpoints.md).",
        )
    if url.endswith(_PATH) or not parts.path:
        better = url.removesuffix(_PATH) if parts.path else f"{url}/v1"
        raise AuditkitError(f"{told}={shown} is not what {_PATH} is put after.", f"Give {told}={better}")
    return url
