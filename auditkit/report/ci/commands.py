"""GitHub's workflow commands: lines of a step's output that its runner obeys. The standard library only.

The runner obeys ``::name ...::`` at the start of a line and ``##[name]`` anywhere in it, whoever printed the line. What
a model says can reach the output in ways that no escaping of ours covers (pytest shows captured output and exceptions,
a back end may print), and one ``##[set-env name=X]`` fails the step. So the runner is told to obey nothing from the
start of an audit to its end.
"""

from __future__ import annotations

from collections.abc import Mapping


def on_github(environ: Mapping[str, str]) -> bool:
    """Return whether this process runs in a step of GitHub Actions."""
    return environ.get("GITHUB_ACTIONS") == "true"


def pause(token: str) -> str:
    """Return the line after which nothing is obeyed until `resume`; the token must be one that nobody can guess."""
    return f"::stop-commands::{token}"


def resume(token: str) -> str:
    """Return the line that ends what `pause` began."""
    return f"::{token}::"


def command(name: str, text: str, **properties: str | int | None) -> str:
    r"""Return one workflow command on one line.

    Parameters
    ----------
    name : str
        ``error``, ``warning``, ``notice``.
    text : str
        The message; anything.
    properties : str, int or None
        Such as ``file``, ``line``, ``title``; those that are None or empty are left out.

    Examples
    --------
    >>> command("error", "50 %\n::set-env::", file="a,b.py", line=3)
    '::error file=a%2Cb.py,line=3::50 %25%0A::set-env::'
    """
    given = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items() if value not in (None, ""))
    return f"::{name} {given}::{_data(text)}" if given else f"::{name}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
