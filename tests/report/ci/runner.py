"""Which lines of a step's output GitHub's runner obeys: its rules, written down from its source, for tests.

``::name key=value,...::text`` counts at the start of a line (after blanks), ``##[name key=value;...]text`` anywhere in
one; between ``::stop-commands::TOKEN`` and ``::TOKEN::`` nothing does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NAMES = {
    "set-env", "set-output", "save-state", "add-path", "add-mask", "add-matcher", "remove-matcher", "debug", "notice",
    "warning", "error", "group", "endgroup", "echo",
}  # fmt: skip
_START = re.compile(r"\s*::(\S+?)(?: ([^:]*(?::[^:]+)*?))?::(.*)", re.DOTALL)
_ANYWHERE = re.compile(r"##\[([^\] ]+)(?: ([^\]]*))?\](.*)", re.DOTALL)


@dataclass(frozen=True)
class Obeyed:
    name: str
    text: str
    properties: dict[str, str]


def obeyed(output: str) -> list[Obeyed]:
    """Return the commands that the runner would carry out, in order."""
    result, token = [], None
    for line in re.split(r"\r\n|\r|\n", output):
        known = NAMES | {"stop-commands"} | ({token} if token else set())
        for pattern, separator in ((_START, ","), (_ANYWHERE, ";")):
            found = pattern.match(line) if pattern is _START else pattern.search(line)
            if found is None or found[1].lower() not in known:
                continue
            name, text = found[1].lower(), _unescaped(found[3])
            if token:
                token = None if name == token else token
            elif name == "stop-commands":
                token = text
            else:
                pairs = [pair.split("=", 1) for pair in (found[2] or "").split(separator) if "=" in pair]
                result.append(Obeyed(name, text, {key.strip(): _unescaped(value) for key, value in pairs}))
            break
    return result


def _unescaped(text: str) -> str:
    for written, meant in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(written, meant)
    return text
