"""How the answers to a question are read, in words."""

from __future__ import annotations

import json


def format_words(scorer: str) -> str:
    """Say what answers look like: ``one of: A pneumonia, B no pneumonia``; a name is left as it is.

    Parameters
    ----------
    scorer : str
        As in `PromptInfo`: the name of a format, or the table of a scorer as JSON.
    """
    try:
        table = json.loads(scorer)
    except ValueError:
        return scorer
    if not isinstance(table, dict) or len(table) != 1:
        return scorer
    [(kind, said)] = table.items()
    if kind == "choice" and isinstance(said, dict):
        return f"one of: {', '.join(f'{letter} {_option(option)}' for letter, option in said.items())}"
    if kind == "axes" and isinstance(said, dict) and isinstance(said.get("names"), list):
        names = ", ".join(str(name).replace("_", " ") for name in said["names"])
        return f"a number on {said.get('low')}–{said.get('high')} for each of: {names}"
    return scorer


def _option(option: object) -> str:
    """An option as it is said: of a table its text."""
    return str(option.get("text") or option.get("label")) if isinstance(option, dict) else str(option)
