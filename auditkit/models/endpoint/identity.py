"""What a server says of itself and of the model it serves, without being asked a question."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.models.endpoint.client import Client
from auditkit.models.endpoint.failure import Failure
from auditkit.models.endpoint.replies import same_name

# Where each kind of server says its version; the first answer counts. Ollama's path is not under /version, so that a
# proxy which answers every path the same way is the only way to be wrong, and then always in the same way.
_VERSIONS = (
    ("vllm", "/version", "version"),
    ("ollama", "/api/version", "version"),
    ("llama.cpp", "/props", "build_info"),
    ("sglang", "/server_info", "version"),
    ("sglang", "/get_server_info", "version"),
)
# These servers ignore the requested model name.
_ANY_NAME = ("llamacpp", "sglang")
_TOLD_OF_WEIGHTS = ("root", "parent", "meta")


@dataclass(frozen=True, slots=True)
class Identity:
    """What a server told.

    Attributes
    ----------
    names : frozenset of str
        Names under which the model may answer: the one asked for, its aliases, and what the server lists as the same.
    listed : tuple of str
        Models that the server lists; empty where it lists none.
    software : str
        Name and version of the server; empty where it does not tell.
    weights : mapping
        What the server's list says of the model's weights (base model, parameters); never a time or a state.
    digest : str
        Digest of the weights (Ollama tells it); empty otherwise.
    """

    names: frozenset[str]
    listed: tuple[str, ...] = ()
    software: str = ""
    weights: Mapping[str, Any] | None = None
    digest: str = ""


async def identify(client: Client, served: str, aliases: Sequence[str], seconds: float) -> Identity:
    """Ask a server what it is and what it serves.

    Parameters
    ----------
    client : Client
        The way to it.
    served : str
        Name of the model.
    aliases : sequence of str
        Other names that the user declares to be the same model.
    seconds : float
        How long to try.

    Raises
    ------
    AuditkitError
        When the server cannot be reached, or holds another model and would answer in its place.
    """
    models, tags, *versions = await asyncio.gather(
        _models(client, seconds),
        _asked(client, f"{_root(client.base_url)}/api/tags", seconds),
        *(_asked(client, _root(client.base_url) + path, seconds) for _, path, _ in _VERSIONS),
    )
    software = next(
        (
            f"{name} {told[field]}"
            for (name, _, field), told in zip(_VERSIONS, versions, strict=True)
            if isinstance(told.get(field), str)
        ),
        "",
    )
    entries = _entries(models.get("data"))
    mine = frozenset(same_name(name) for name in (served, *aliases))
    same = [entry for entry in entries if mine & _names(entry)]
    if entries and not same and any(entry.get("owned_by") in _ANY_NAME for entry in entries):
        raise AuditkitError(
            f"--audit-endpoint={client.base_url} serves {_list(entries)}, not {served!r}, and would answer under any "
            "name.",
            f"Ask for {str(entries[0]['id'])!r}, or list it under aliases if it is the same model.",
        )
    weights = {key: entry[key] for entry in same[:1] for key in _TOLD_OF_WEIGHTS if entry.get(key)}
    digest = next((str(tag.get("digest", "")) for tag in _entries(tags.get("models"), "name") if _is(tag, mine)), "")
    return Identity(
        mine.union(*map(_names, same)), tuple(str(entry["id"]) for entry in entries), software, weights, digest
    )


async def _models(client: Client, seconds: float) -> dict[str, Any]:
    """Return the list of models; empty where a server that is there gives none."""
    try:
        return await _get(client, f"{client.base_url}/models", seconds)
    except Failure as failure:
        if failure.tries < math.inf:
            return {}
        raise AuditkitError(
            f"--audit-endpoint={client.base_url} cannot be reached: {failure.why.rstrip('.')}.",
            "Start the server, wait until it has loaded the model, or give its address (http://host:port/v1).",
        ) from None


async def _asked(client: Client, url: str, seconds: float) -> dict[str, Any]:
    """Return what an address that not every server has gives; empty where it gives nothing."""
    try:
        return await _get(client, url, seconds)
    except Failure:
        return {}


async def _get(client: Client, url: str, seconds: float) -> dict[str, Any]:
    """Get an address, again only while the server is not there: a page or an error instead of JSON is an answer."""

    async def once(limit: float) -> dict[str, Any]:
        try:
            return await client.exchange(url, limit)
        except Failure as failure:
            if failure.tries < math.inf:
                failure.tries = 1
            raise

    return await client.patiently(once, seconds)


def _root(base_url: str) -> str:
    return base_url.removesuffix("/v1")


def _entries(found: object, key: str = "id") -> list[Mapping[str, Any]]:
    if not isinstance(found, list):
        return []
    return [entry for entry in found if isinstance(entry, dict) and isinstance(entry.get(key), str)]


def _names(entry: Mapping[str, Any]) -> frozenset[str]:
    aliases: Iterable[object] = entry["aliases"] if isinstance(entry.get("aliases"), list) else ()
    names = (entry["id"], entry.get("root"), *aliases)
    return frozenset(same_name(name) for name in names if isinstance(name, str) and name)


def _is(tag: Mapping[str, Any], names: frozenset[str]) -> bool:
    return same_name(str(tag["name"])) in names


def _list(entries: Sequence[Mapping[str, Any]]) -> str:
    shown = ", ".join(str(entry["id"]) for entry in entries[:5])
    return shown + ", ..." * (len(entries) > 5)
