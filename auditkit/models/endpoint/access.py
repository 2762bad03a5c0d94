"""What every request carries so that a server lets it in: key, headers, query. Secrets stay in the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

from auditkit.errors import AuditkitError


class Access:
    """Keys and what goes with them; values are read from the environment whenever they are needed, and kept nowhere.

    Parameters
    ----------
    key_variable : str
        Environment variable with the key, if the server wants one.
    key_header : str or None
        Header that the key is sent in as it is, such as ``api-key``; None for a bearer token.
    headers, query : mapping of str to str
        Further headers of every request, and what is put after every address; a value ``$NAME`` stands for the
        environment variable of that name.
    """

    def __init__(
        self,
        key_variable: str,
        key_header: str | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> None:
        self.key_variable = key_variable
        self.key_header = key_header
        self.declared = {"headers": dict(headers or {}), "query": dict(query or {})}

    def headers(self) -> dict[str, str]:
        """Return the headers of a request.

        Raises
        ------
        AuditkitError
            When a variable is not set, or holds what cannot be sent.
        """
        found = {name: _value(value) for name, value in self.declared["headers"].items()}
        key = self.key()
        if key:
            found |= {self.key_header: key} if self.key_header else {"Authorization": f"Bearer {key}"}
        return found

    def query(self) -> dict[str, str]:
        """Return what is put after an address; raises as `headers` does."""
        return {name: _value(value) for name, value in self.declared["query"].items()}

    def key(self) -> str:
        """Return the key; empty without one."""
        return _printable(self.key_variable, "key")

    def secrets(self) -> tuple[str, ...]:
        """Return all that came from the environment, the longest first: none of it may be shown."""
        values = [value for part in self.declared.values() for value in part.values()]
        found = {self.key(), *(_value(value) for value in values if value.startswith("$"))}
        return tuple(sorted(found - {""}, key=len, reverse=True))


def _value(told: str) -> str:
    if not told.startswith("$"):
        return told
    value = _printable(told[1:], "value")
    if not value:
        raise AuditkitError(
            f"the registry's entry takes {told} from the environment, where it is not set.",
            f"Set it: export {told[1:]}=...",
        )
    return value


def _printable(variable: str, what: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not (value.isascii() and value.isprintable()):
        raise AuditkitError(
            f"the {what} in ${variable} has characters that no {what} has.",
            f"Copy it again: export {variable}=...",
        )
    return value
