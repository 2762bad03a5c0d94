"""A scorer of somebody else: two values, neither of which is on a scale of 0 to 100."""

from __future__ import annotations

from auditkit.tasks import Quantity, Score, Wording


class Axes:
    """Reads ``1.5 4`` as an overall score of 0-2 and a clarity of 1-5."""

    quantities = (Quantity("overall", "marks", 0, 2), Quantity("clarity", "marks", 1, 5))
    choices = None

    def read(self, text: str, finish: str, wording: Wording) -> Score:
        overall, clarity = map(float, text.split())
        return Score("scored", {"": overall, "clarity": clarity}, text)


TASKS = {"axes": {"scorer": "tests.measure.axes:Axes", "wordings": {"direct": "How good, and how clear?"}}}


class Truth:
    """Reads ``right`` or ``wrong`` and a confidence: shares of 0-1, the second anything between."""

    quantities = (Quantity("correct", "share", 0, 1, binary=True), Quantity("confidence", "share", 0, 1))
    choices = None

    def read(self, text: str, finish: str, wording: Wording) -> Score:
        word, confidence = text.split()
        return Score("scored", {"": float(word == "right"), "confidence": float(confidence)}, word)


TASKS["truth"] = {"scorer": "tests.measure.axes:Truth", "wordings": {"direct": "Is there pneumonia?"}}
