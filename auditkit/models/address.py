"""Addresses of servers: what can be one, and what must not stand in it or be asked."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from auditkit.errors import AuditkitError
from auditkit.masked import masked_url

_PATH = "/chat/completions"

# What gives out the credentials of a cloud's machine to whoever asks from it, by name and by number.
_METADATA_NAMES = frozenset(
    ("metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal")
)
_METADATA = tuple(
    map(
        ipaddress.ip_network,
        ("100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::/32", "fd20:ce::254/128"),
    )
)
_EMBEDDED = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "::/96")))


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
    refuse_link_local(parts.hostname or "", told)
    return url


def refuse_link_local(host: str, told: str = "--audit-endpoint", *, look_up: bool = False) -> None:
    """Refuse a host that is link-local or gives out a machine's credentials.

    Parameters
    ----------
    host : str
        Name or number, in any form that the system's resolver takes (``2852039166`` and ``0xa9fea9fe`` are numbers).
    told : str
        Where it was given, for the message.
    look_up : bool
        Ask for the numbers of a name too; a name without any is not refused.

    Raises
    ------
    AuditkitError
        Naming the host.
    """
    name = host.rstrip(".").casefold()
    numbers = _numbers(name) or (_looked_up(name) if look_up else [])
    if name in _METADATA_NAMES or any(map(_must_not_be_asked, numbers)):
        raise AuditkitError(
            f"{told}: the host {host} is link-local or gives out credentials of this machine, and is not asked.",
            "Give the address of the model's server.",
        )


def _numbers(name: str) -> list[str]:
    """Return what a name is when it is a number: the forms of inet_aton too, which a connection would take."""
    try:
        return [str(ipaddress.ip_address(name.partition("%")[0]))]
    except ValueError:
        pass
    try:
        return [socket.inet_ntoa(socket.inet_aton(name))]
    except (OSError, UnicodeError):
        return []


def _looked_up(name: str) -> list[str]:
    try:
        return [str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(name, None)]
    except (OSError, UnicodeError):
        return []


def _must_not_be_asked(number: str) -> bool:
    address = ipaddress.ip_address(number)
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and any(address in network for network in _EMBEDDED) and int(address) > 1:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None and _must_not_be_asked(str(inner)):
            return True
    return address.is_link_local or any(
        address in network for network in _METADATA if network.version == address.version
    )
