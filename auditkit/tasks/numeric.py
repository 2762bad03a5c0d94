"""Read a number from 0 to 100 or to 10, or a rating from 1 to 5, out of an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditkit.tasks.context import Claim, Surroundings, Text, joined, settle, word_set
from auditkit.tasks.pattern import pattern

_TOKEN = pattern(r"\w+(?:[.,^']\w+)*\^?")
_SLASH = pattern(
    r"[)]?\s{0,3}/\s{0,3}|(?:\s{1,3}(?:points?|marks?))?\s{1,3}out\s{1,3}of\s{1,3}"
    r"(?:(?:a|the|possible|maximum|total|of)\s{1,3}){0,4}"
)
_OF = pattern(r"(?:\s{1,3}(?:points?|marks?))?\s{1,3}of\s{1,3}")
_JOIN = pattern(
    r"(?:[^\S\n]*\([^()\n]{0,40}\))?[^\S\n]*(?:to|or|and|through|until|up to|vs|&|[-–—~/|,→]|\.{3}|…)?[^\S\n]*",
    re.I,
)
_LOWER = pattern(r"[\w)%]\s{0,3}/\s{0,3}$")
_UNIT = pattern(r"\s*(%|percent\b|per cent\b)|\s*(?:points?|marks?)\b", re.I)
_POINT_SCALE = pattern(r"\b(\d+)[- ]?point (?:\w+ )?scale", re.I)
_RANGE_CUE = pattern(r"\b(?:scale|from|between|range|rang(?:es|ing))\b")
_DATE = pattern(r"\d{4}-\d\d-\d\d|\d\d?-\d\d?-\d{4}")
_TOP = pattern(r"\bout of (?:(?:a|the|possible|maximum|total|of) ){0,4}\W*$", re.I)
_CLOCK = pattern(r":\d")
_RUNS_ON = pattern(r"[^\w\s]+\d")
_EQUATION = pattern(r"\W*(\d)\s*(?:/\s*5)?\s*=\s*[a-z]+(?: [a-z]+){0,2}\W*", re.I)
_NUMBERED = pattern(r"^\s{0,4}(\d{1,2})[.)]\s+[^\W\d]", re.M)
_STEP = pattern(
    r"\W*(?:(?:(?:final|my)\s+)?(?:answer|rating|verdict)\W{1,3})?(?:step|level)\W{0,3}(\d)(?:/5)?\W*", re.I
)

_LINK = word_set(
    """is are be 's as at of with about around approximately roughly perhaps maybe probably exactly just
    only it this image scan picture quality a an equals would give gives giving gave say rate rated rating score scores
    scored mark grade answer value number verdict points result assessment assign award choose pick select estimate
    judge approx ca approximate final finally overall its it's response"""
)
_GIVING = _LINK | word_set(
    """gets get got earns earn earned deserves deserve receives receive received merits awarded awards assigned given go
    goes and so still step actually possibly rather or the full perfect solid"""
)
# Said of a number, or between it and another, these make it a candidate, though not a clear answer.
_OR = pattern(r"\s*(?:or|vs|versus|and|→|/)\W+(?:[a-z']+\W+){0,4}?\d")
_VERBS = word_set("is was would seems seem looks feels sounds appears might may could should works fits")
_GOES_ON = word_set(
    """because since due as for and with given overall here i it this the which on in while despite owing considering
    based my that its to instead rather"""
)
_ALTERNATIVE = word_set("or maybe perhaps possibly actually rather")
_AFTER_RATING = word_set("stars star rating score mark grade is was would of")


@dataclass(frozen=True, slots=True)
class _Number:
    start: int
    end: int
    value: float | None
    scale: float | None = None
    percent: bool = False
    comma: bool = False
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale of answers: its limits and the limits by which people describe it."""

    low: float
    high: float
    described: frozenset[tuple[float, float]]


SCALES = {
    "score_100": Scale(0.0, 100.0, frozenset({(0.0, 100.0), (1.0, 100.0)})),
    "score_10": Scale(0.0, 10.0, frozenset({(0.0, 10.0), (1.0, 10.0)})),
    "rating_5": Scale(1.0, 5.0, frozenset({(1.0, 5.0), (0.0, 5.0)})),
}
_UNSAID = "is not said to be the answer"
_OTHER_TOPS = frozenset({3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 20.0, 50.0, 100.0})


def read_number(text: Text, scale: Scale) -> tuple[Claim | str, list[str]]:
    """Find the one number given as the answer.

    Parameters
    ----------
    text : Text
        The cleaned answer.
    scale : Scale
        What was asked for.

    Returns
    -------
    settled : Claim or str
        The claim (its value on the scale asked for, perhaps outside it), or why there is none.
    notes : list of str
        Why numbers in the text were passed over.
    """
    equation = (_EQUATION.fullmatch(text.text) or _STEP.fullmatch(text.text)) if scale.high == 5.0 else None
    if equation:  # "4 = good" or "Step 4": one step of the scale is the whole answer
        return Claim(equation.start(1), equation.end(), float(equation[1])), []
    claims: list[Claim] = []
    notes: list[str] = []
    others: list[tuple[str, float]] = []
    strays: list[str] = []
    listed = _listed(text.text)
    for found in _POINT_SCALE.finditer(text.text):
        if float(found[1][:9]) != scale.high:
            others.append((found[0], -1.0))
    for group in _chains(text.text, list(_numbers(text.text))):
        start, end = group[0].start, group[-1].end
        shown = text.text[start:end] if end - start <= 40 else text.text[start : start + 40] + "…"
        around = text.around(start, end)
        verdict = "numbers a list" if start in listed and len(group) == 1 else _weigh(group, around, scale, shown)
        if isinstance(verdict, Claim) and not (
            around.cued or around.pronoun or text.at_edge(start, end) or group[0].scale
        ):
            verdict = Claim(start, end, None, f"has {shown!r} between other words, with no hint that it is the answer")
        if isinstance(verdict, Claim):
            claims.append(verdict)
        elif isinstance(verdict, float):
            others.append((shown, verdict))
        elif verdict:
            if verdict == _UNSAID and _stands_alone(group, around, scale):
                strays.append(shown)
            notes.append(f"{shown!r} {verdict}")
    settled = settle(claims)
    if isinstance(settled, Claim) and isinstance(settled.value, float):
        if strays and not (settled.final or text.around(settled.start, settled.end).cued):
            return f"has {strays[0]!r} beside an answer that nothing announces", notes
        for shown, share in others:
            if abs(share - settled.value / scale.high) > 1e-9:
                return f"also speaks of another scale ({shown!r}) than the one up to {scale.high:g} asked for", notes
    elif not settled and others:
        return f"is on another scale ({others[0][0]!r}) than the one up to {scale.high:g} asked for", notes
    return settled, notes


def _weigh(group: list[_Number], around: Surroundings, scale: Scale, shown: str) -> Claim | float | str:
    """Return a claim, the share of another scale that is given (-1 when it is not one value), or why it is neither."""
    values = [number.value for number in group]
    known = [value for value in values if value is not None]
    if len(known) == len(values) and len(known) > 1:
        limits = (min(known), max(known))
        if limits in scale.described:
            return "describes the scale"
        if limits[0] in (0.0, 1.0) and limits[1] in _OTHER_TOPS and _RANGE_CUE.search(around.sentence):
            return -1.0
    if (
        len(group) > 2
        and all(number.scale is None for number in group)
        and "-" in shown
        and known
        and max(known) > 1000
    ):
        return "is a date"
    why = around.dismissal()
    if why:
        return why
    explicit = any(number.scale is not None and not number.weak for number in group)
    if around.earlier:
        return Claim(
            group[0].start, group[-1].end, None, f"calls {shown!r} another value than the answer", around.final
        )
    if _attached(around, explicit):
        word = re.match(r"\s*([\w']+)", around.after)
        if (word and word[1] in _VERBS) or _OR.match(around.after) or (explicit and around.opening != ":"):
            problem = f"speaks of {shown!r} and does not say that it is the answer"
            return Claim(group[0].start, group[-1].end, None, problem)
        return _UNSAID
    tops = {number.scale for number in group if number.scale is not None}
    if tops - {scale.high} or (scale.high != 100.0 and any(number.percent for number in group)):
        first = group[0]
        top = first.scale if first.scale is not None else 100.0
        return first.value / top if len(group) == 1 and first.value is not None and top > 0 else -1.0
    start, end, final = group[0].start, group[-1].end, around.final
    if len(known) < len(values):
        return Claim(start, end, None, f"gives {shown!r}, which is not a plain number", final)
    if len(set(known)) > 1:
        return Claim(start, end, None, f"gives more than one answer: {shown!r}", final)
    bare = not explicit and not any(number.percent for number in group)
    noun = re.match(r"\s*([a-z']+)", around.after)
    if explicit and noun and noun[1] not in _GOES_ON | _AFTER_RATING:
        return Claim(start, end, None, f"gives {shown!r} of something ({noun[1]!r})", final)
    if bare and any(number.comma for number in group) and (scale.high != 100.0 or not re.search(r",\d$", shown)):
        return Claim(start, end, None, f"gives {shown!r}, which may be one number or two", final)
    if bare and scale.low == 0.0 and 0.0 < known[0] < 1.0:
        return Claim(start, end, None, f"gives {shown!r}, which may be a share of one", final)
    return Claim(start, end, known[0] + 0.0, final=final)  # -0.0 + 0.0 is 0.0


def _listed(text: str) -> set[int]:
    """Return where the numbers stand that only number the lines of a list: 1, 2, ... in order, words after each."""
    found = [(m.start(1), int(m[1])) for m in _NUMBERED.finditer(text)]
    return {at for at, _ in found} if len(found) > 1 and [n for _, n in found] == [*range(1, len(found) + 1)] else set()


def _stands_alone(group: list[_Number], around: Surroundings, scale: Scale) -> bool:
    """Whether a number that is not said to be the answer could be one: in range, and nothing is counted by it."""
    value = group[0].value
    in_range = value is not None and scale.low <= value <= scale.high
    return in_range and not re.match(r"\s*[\w-]", around.after) and not around.clause.endswith("-")


def _attached(around: Surroundings, explicit: bool) -> bool:
    """Whether the number belongs to a noun or a list, instead of being given as the answer."""
    if _RUNS_ON.match(around.after):
        return True
    following = around.after.lstrip()
    if following[:1] == "-" and following[1:2].isalpha():
        return True  # 45-year-old
    if following and following[0] not in ".,;:!?)'*-–—(|~":
        word = re.match(r"[\w']+", following)
        if word is None:
            return True
        if word[0] in ("is", "was", "would"):
            if not re.match(r"(?:is|was|would be) (?:my|the|what|a fair|correct|right|appropriate)\b", following):
                return True
        elif word[0] == "of" and explicit:
            return re.match(r"of (?:quality|technical)", following) is None
        elif word[0] not in _GOES_ON and not explicit:
            return True
    before = around.word_before
    if around.opening == ":" and not before:
        return not around.labelled
    if explicit:
        return _foreign(before, around)
    if before in _ALTERNATIVE or around.pronoun:
        return False
    if not before:
        return around.clause.strip(" *-–—~≈=(+'>#|") != ""
    return before not in _LINK or not around.cued


def _foreign(before: str, around: Surroundings) -> bool:
    """Whether the word right before a rating with its scale makes it something else's, as in "lobe 4/5"."""
    if before in ("image", "scan", "picture"):
        return not around.cued and re.search(r"\b(?:this|the) \w+\W*$", around.clause) is None
    return before != "" and before not in _GIVING and re.search(r"\ban? \w+\W*$", around.clause) is None


def _chains(text: str, numbers: list[_Number]) -> Iterator[list[_Number]]:
    """Group numbers that only a joining word or sign keeps apart: ranges, lists and repetitions."""
    group: list[_Number] = []
    for number in numbers:
        if group and not joined(text, group[-1].end, number.start, _JOIN, 60):
            yield group
            group = []
        group.append(number)
    if group:
        yield group


def _numbers(text: str) -> Iterator[_Number]:
    tokens = [m for m in _TOKEN.finditer(text) if m[0][0].isdigit()]
    index = 0
    while index < len(tokens):
        token = tokens[index]
        index += 1
        start, end = token.start(), token.end()
        before = text[start - 1] if start else ""
        value, comma = _value(token[0])
        if before in ("-", "+", "–") and (start < 2 or not (text[start - 2].isalnum() or text[start - 2] in ")].%")):
            start -= 1
            value = -value if value is not None and before != "+" else value
        elif before and before in ".,^'_":
            value = None
        elif _TOP.search(text, max(0, start - 30), start) or before in ("$", "#", "€", "£", "@", "°", "\\"):
            continue
        if before == "/" or _LOWER.search(text, max(0, start - 8), start):
            continue  # the lower part of something like N/5
        parts: list[float | None] = []
        while index < len(tokens) and tokens[index].start() - end < 40:
            if not _SLASH.fullmatch(text, end, tokens[index].start()):
                break
            parts.append(_value(tokens[index][0])[0])
            end = tokens[index].end()
            index += 1
        weak = False
        near = not parts and index < len(tokens) and tokens[index].start() - end < 20
        if near and _OF.fullmatch(text, end, tokens[index].start()):  # "85 of 100", but also "slice 4 of 5"
            weak = True
            parts.append(_value(tokens[index][0])[0])
            end = tokens[index].end()
            index += 1
        if len(parts) > 1:
            continue  # 01/02/2026
        if _CLOCK.match(text, end) or (before == ":" and start > 1 and text[start - 2].isdigit()):
            continue  # 12:30
        unit = _UNIT.match(text, end)
        percent = unit is not None and unit[1] is not None
        end = unit.end() if unit else end
        if parts and (parts[0] is None or parts[0] <= 0):
            value = None
        yield _Number(start, end, value, parts[0] if parts else None, percent, comma, weak)


def _value(token: str) -> tuple[float | None, bool]:
    """Return the value of a token and whether a comma was read as a decimal sign; None when it is not plain."""
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", token):
        return float(token), False
    if re.fullmatch(r"[0-9]+,[0-9]{1,2}", token):
        return float(token.replace(",", ".")), True
    return None, False
