"""A way to read answers: so many stars, and how sure the model says it is."""

import re

from auditkit import Quantity, Score

_SAID = re.compile(r"(?P<stars>\d+(?:\.\d+)?) stars?(?:, (?P<sure>\d+) % sure)?")


class Stars:
    """Reads "3 stars, 80 % sure"."""

    choices = None
    version = "1"

    def __init__(self, of=5):
        self.quantities = (Quantity("stars", "stars", 0.0, float(of)), Quantity("sure", "share", 0.0, 1.0))

    def read(self, text, finish, wording):
        """Read one answer."""
        found = _SAID.search(text)
        if found is None:
            return Score("unparsed", why="it names no stars")
        values = {"stars": float(found["stars"])}
        if found["sure"]:
            values["sure"] = int(found["sure"]) / 100
        return Score("scored", values, said=found["stars"])
