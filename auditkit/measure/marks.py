"""Numbers of answers that no answer can be; apart from the other faults, because rendering a report needs no arrays."""

from __future__ import annotations

from collections.abc import Iterator

from auditkit.errors import AuditkitError
from auditkit.evidence import Evidence
from auditkit.evidence.possible import is_number
from auditkit.protocol.recorded import own_protocol
from auditkit.tasks.quantity import Quantity
from auditkit.vocabulary import Value


def marks_beyond(evidence: Evidence) -> Iterator[str]:
    """Yield the numbers of answers that lie beyond the range of their scale, as far as the scale is known here."""
    try:
        catalogue = own_protocol(evidence).catalogue
    except AuditkitError:
        return
    for column in evidence.answers.columns:
        try:
            task = catalogue.task(column.task)
        except AuditkitError:
            continue
        known = task.scorer.quantities
        ranges = {quantity.name if i else Value(column.question).name: quantity for i, quantity in enumerate(known)}
        ranges |= {quantity.name: quantity for quantity in task.derived()}
        for name in column.values.keys() & ranges.keys():
            marks = column.values[name].split()
            beyond = {mark for mark in set(marks) if is_number(mark) and not _within(float(mark), ranges[name])}
            for item, mark in zip(evidence.answers.items, marks, strict=False) if beyond else ():
                if mark in beyond:
                    scale = f"{ranges[name].low:g} to {ranges[name].high:g}"
                    yield f"image {item.id}, {column.question}: {mark} lies beyond the scale, {scale}"


def refuse_marks_beyond(evidence: Evidence, named: str) -> None:
    """Refuse a record with numbers that no answer can have.

    Raises
    ------
    AuditkitError
        Naming the first.
    """
    fault = next(marks_beyond(evidence), "")
    if fault:
        raise AuditkitError(f"the answers in {named} are damaged: {fault}.", "Take the file as the run wrote it.")


def _within(number: float, scale: Quantity) -> bool:
    # A mark has eight digits, so that an end of the scale may be rounded beyond itself.
    spare = 1e-7 * max(abs(scale.low), abs(scale.high))
    return scale.low - spare <= number <= scale.high + spare
