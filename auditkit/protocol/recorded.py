"""The protocol that a finished run was judged by, from its record."""

from __future__ import annotations

from pydantic import ValidationError

from auditkit.errors import AuditkitError
from auditkit.evidence import Evidence
from auditkit.protocol.model import Protocol

REMEDY = "Give another --profile, or --protocol=FILE."


def own_protocol(
    evidence: Evidence, profile: str | None = None, *, named: str = "the record", remedy: str = REMEDY
) -> Protocol:
    """Return the protocol that a run was judged by.

    Parameters
    ----------
    evidence : Evidence
        The run's record.
    profile : str, optional
        Another of its profiles.
    named, remedy : str
        What the record is called in a message, and what to do about it.

    Raises
    ------
    AuditkitError
        When this auditkit cannot use the criteria in the record.
    """
    criteria = evidence.protocol.criteria if profile is None else {**evidence.protocol.criteria, "profile": profile}
    try:
        return Protocol.model_validate(criteria)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "protocol"
        why = fault["msg"].removeprefix("Value error, ")
        raise AuditkitError(f"the criteria in {named} cannot be used: {where}: {why}.", remedy) from None
