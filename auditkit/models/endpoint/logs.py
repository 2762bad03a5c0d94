"""The logs of the HTTP libraries, which write down addresses with their queries, and at their finest every header."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakSet

from auditkit.errors import AuditkitError
from auditkit.masked import masked_text
from auditkit.models.endpoint.failure import without

if TYPE_CHECKING:
    from auditkit.models.endpoint.access import Access

# Filters of a logger do not hold for those below it.
_LOGS = ("httpx2", *(f"httpcore2.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))


class _Masking(logging.Filter):
    """Takes out of a message what any open connection sends that nobody may see."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: WeakSet[Access] = WeakSet()

    def filter(self, record: logging.LogRecord) -> bool:
        said = masked_text(record.getMessage())
        for access in list(self.sent):
            with suppress(AuditkitError):  # a variable that is gone by now
                said = without(said, *access.secrets())
        record.msg, record.args = said, ()
        return True


_MASKING = _Masking()


def keep_out_of_logs(access: Access) -> None:
    """Let no log of the HTTP libraries hold the secrets that this access sends."""
    _MASKING.sent.add(access)
    for name in _LOGS:
        logging.getLogger(name).addFilter(_MASKING)
