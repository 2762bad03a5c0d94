"""The protocol that a finished run was judged by, from its record."""

from __future__ import annotations

from pydantic import ValidationError

from auditkit.errors import AuditkitError
from auditkit.evidence import Evidence
from auditkit.protocol.model import Protocol


def own_protocol(evidence: Evidence, profile: str | None = None) -> Protocol:
    """Return the protocol that a run was judged by, from its record, or another profile of it."""
    criteria = evidence.protocol.criteria if profile is None else {**evidence.protocol.criteria, "profile": profile}
    try:
        return Protocol.model_validate(criteria)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "protocol"
        raise AuditkitError(
            f"the criteria in the record cannot be used: {where}: {fault['msg'].removeprefix('Value error, ')}.",
            "Give another --profile, or --protocol=FILE.",
        ) from None
