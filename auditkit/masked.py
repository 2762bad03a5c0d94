"""Addresses as they may be shown: no user, no password, no value of a query.

Only an address that reads in one way is shown in parts. Programs disagree on where the password of any other ends
(``user:pa/ss@host`` has the host ``user`` for some), so of those the scheme alone is left.
"""

from __future__ import annotations

import re

MASK = "***"

_PLAIN = re.compile(
    r"(?P<scheme>[A-Za-z][\w+.-]*)://(?P<user>[^/?#@\\\s]*@)?(?P<host>[\w.-]*|\[[\w:.%]*\])"
    r"(?P<port>:(?:\d*|port))?(?P<path>/[^?#@;\s]*)?(?P<parameters>;[^?#@\s]*)?(?P<query>\?[^#@\s]*)?(?P<rest>#[^@\s]*)?",
    re.IGNORECASE,
)
_BARE = re.compile(r"[\w./:\[\]~-]*")
_IN_A_TEXT = re.compile(r"[A-Za-z][\w+.-]*://\S+")
_AFTER_IT = ".,;:!?)]}>\"'`"
_NAMED = re.compile(r"(?i)\b((?:password|passwd|pwd|secret|api[_-]?key|access[_-]?token)\s*=\s*)[^\s;&]+")
_NAME = re.compile(r"[\w.-]{1,40}")


def masked_url(url: str) -> str:
    """Return an address without what may be secret.

    Parameters
    ----------
    url : str
        The whole address, as somebody typed it.

    Examples
    --------
    >>> masked_url("postgresql://me:s3cret@db:5432/answers?sslmode=require")
    'postgresql://***@db:5432/answers?sslmode=***'
    >>> masked_url("https://me:s3/cret@host/v1"), masked_url("me:s3cret@host"), masked_url("http://[::1]:8000/v1")
    ('https://***', '***', 'http://[::1]:8000/v1')
    """
    scheme, slashes, _ = url.partition("://")
    if not slashes:
        return url if _BARE.fullmatch(url) else MASK
    parts = _PLAIN.fullmatch(url)
    if parts is None:
        return f"{scheme}://{MASK}" if re.fullmatch(r"[A-Za-z][\w+.-]*", scheme) else MASK
    return (
        f"{scheme}://{f'{MASK}@' * bool(parts['user'])}{parts['host']}{parts['port'] or ''}{parts['path'] or ''}"
        + _fields(parts["parameters"], ";")
        + _fields(parts["query"], "&")
        + f"#{MASK}" * bool(parts["rest"])
    )


def shown(path: str, limit: int = 200) -> str:
    """Return a path as it may stand in a line of a terminal or of a CI's log: no control characters, bounded.

    A line break in a name would begin a line of its own, which CI systems may obey.
    """
    text = path.encode("utf-8", "backslashreplace").decode()
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[-limit // 2 + 1 :]}"


def masked_text(text: str) -> str:
    """Return a text whose addresses, and what it gives after ``password=`` and the like, are masked."""
    if "://" in text:
        text = _IN_A_TEXT.sub(_masked_word, text)
    return _NAMED.sub(rf"\1{MASK}", text) if "=" in text else text


def _masked_word(found: re.Match[str]) -> str:
    word = found[0]
    address = word.rstrip(_AFTER_IT)
    if address.count("[") > address.count("]"):
        address = word[: word.index("]", len(address)) + 1] if "]" in word[len(address) :] else address
    return word if address.endswith(":/") or address.endswith("//") else masked_url(address) + word[len(address) :]


def _fields(text: str | None, between: str) -> str:
    """Mask the values of ``?a=1&b=2`` or ``;a=1;b=2``; a field without a name is masked whole."""
    if not text:
        return ""
    fields = (field.partition("=") for field in text[1:].split(between))
    return text[0] + between.join(f"{n}={MASK}" if e and _NAME.fullmatch(n) else MASK for n, e, _ in fields)
