"""What to write into the registry when a server does not take a field of the request."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"only\b[^.]{0,40}?\b(\d+(?:\.\d+)?)\b")


def hint(said: str, fields: Iterable[str]) -> str:
    """Return the lines to write, by what the server said; empty where it names none of the fields.

    Parameters
    ----------
    said : str
        The server's words.
    fields : iterable of str
        Fields of the request that it refused.
    """
    lower = said.lower()
    named = [field for field in fields if re.search(rf"(?<![a-z_]){re.escape(field.lower())}(?![a-z_])", lower)]
    if not named:
        return ""
    field, number = named[0], _NUMBER.search(lower)
    only = f", only {number[1]}" if number else ""
    ways = f'omit = ["{field}"]'
    if number:
        ways += f"\nor\nextra = {{ {field} = {number[1]} }}"
    return (
        f"The server does not take {field} as it is sent{only}. Write into the model's entry in auditkit-models.toml "
        f"(docs/endpoints.md shows one):\n{ways}"
    )
