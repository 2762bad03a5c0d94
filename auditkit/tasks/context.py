"""What stands around a possible answer in a text: whether it is given, denied, asked, defined or about something else.

A value in a text is taken as the answer only when its surroundings say so. The rules below err on the side of
leaving a text unparsed: an unparsed answer is counted and shown, a wrong one would be believed.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from auditkit.tasks.pattern import pattern

# "Final: 85 or final: 60", "(85) / (60)", "The answer is no or the answer is yes".
_AGAIN = pattern(
    r"[^\w\n]{0,6}\s{0,6}(?:or|vs|/|->|→)\s{0,6}(?:(?:my|the|final(?:ly)?|it|it's|is|was|answer|score|rating|output"
    r"|response|grade|result|option|step \d+)\W{1,3}){0,4}[^\w\n]{0,6}",
    re.I,
)
_AGAIN_MOST = 60
# How far a mention's surroundings are looked at, in characters: bounds the work per mention.
LOOK = 240

_SENTENCE = pattern(r"(?<![.!?])[.!?]++(?=[\s)']|$)|\n")
_CLAUSE = pattern(
    r"[;:()—,→](?!\d)|\s[-–]\s|\b(?:but|however|so|therefore|thus|hence|rather|instead|although|though)\b", re.I
)

_NEGATED = pattern(r"\b(?:not|never|no|nor|neither|cannot|without|hardly|unable|refuse|decline|\w+n't)\b")
_DENIED = pattern(
    r"(?:is|are|was|seems?|would be|would not|can ?not|can't)\s+(?:not|too|wrong|incorrect|un\w+|be|ruled)\b"
)
_BOUND = pattern(
    r"(?:\b(?:more|less|greater|lower|higher|better|worse|fewer) than|\bat (?:least|most)|\bup to|\babove|\bbelow"
    r"|\bover|\bunder|\bexceed(?:s|ing)?|\balmost|\bnearly|\bclose to|\bshort of|\bbarely|\bbeyond|[<>≤≥])\s*$"
)
_EXAMPLE = pattern(r"\b(?:eg|for example|for instance|such as|like|in the form|in the format|format|example)\W*$")
_HYPOTHETICAL = pattern(r"\b(?:if|unless|whether|were it|had it)\b")
_LIMIT = pattern(r"\b(?:max(?:imum)?|min(?:imum)?|scale|best|worst|low(?:er|est)|high(?:er|est)|limits?|range)\b")
_DEFINED = pattern(
    r"\W*(?:=|means?\b|meaning\b|being\b|denot|stands\b|represent|indicat|correspond|would mean\b|would be (?:the )?"
    r"|is (?:the )?(?:best|worst|highest|lowest|max|min|perfect|flawless|very|useless|excellent|ideal|poor|good)\w*"
    r"|(?:the )?(?:best|worst|highest|lowest) )"
)
_ASPECT = (
    r"(?:contrast|sharpness|noise|exposure|brightness|resolution|position(?:ing)?|alignment|focus|artefacts?|artifacts?"
    r"|details?|visibility|coverage|anatomy|clarity|lighting|illumination|colou?rs?|blur|framing|severity|confidence"
    r"|certainty|probability)"
)
_ABOUT_ASPECT = pattern(rf"\b{_ASPECT}\b")
_FOR_ASPECT = pattern(rf"\W*(?:for|in|on|regarding|in terms of)\s+(?:\w+\s+){{0,2}}{_ASPECT}\b")
_WHOLE = pattern(r"\b(?:quality|overall|final|total)\b")
_MEDICAL = pattern(
    r"\b(?:(?:bi|pi|ti|li|o|lung)-?rads|gleason|agatston|calcium|apgar|mayo|modic|fazekas|kellgren|suv|tumou?r"
    r"|[tz]-score|stage|slice|age|aged|year)\b"
)
# A quality that is a setting, and the places of a picture in a series.
_SETTING = pattern(
    r"\b(?:jpe?g|webp|compression|compressed|encod\w+|codec|file|video|display|monitor)"
    r"(?:\s(?:quality|score|rating|factor|level|setting|value|grade|ratio))*\W{0,3}(?:is|was|of|at)?\W{0,3}$"
)
_PLACE = pattern(
    r"\b(?:pages?|figures?|fig\.?|slices?|series|frames?|panels?|tables?|questions?|sections?|steps?|phases?"
    r"|no\.|nr\.?|version|chapters?)\W{0,3}$"
)
# A value that was one, or would be one: whoever gives no other has not said which it is.
_EARLIER = pattern(
    r"\b(?:(?:initial|previous|prior|earlier|preliminary|tentative|provisional|expected|average|mean|typical|median"
    r"|reference|baseline|threshold|example|original|old|draft|cut-?off|target|required)\s(?:\w+\s){0,2}?"
    r"(?:score|rating|quality|answer|grade|mark|value|estimate|impression|guess|assessment)"
    r"|initially|previously|formerly)\W{0,3}(?:is|was|of|would be)?\W{0,3}$"
)
_ASIDE = pattern(r"\s*\([^()]*\)\W*$|\s*\(?(?:out of|from|on a scale)\b[^:]*$")
_OF = pattern(
    r"\b(score|rating|quality|grade|mark|verdict|assessment|value|evaluation|opinion)s? (?:for|of|on|to|about|in) .*$"
)
_ABOUT = pattern(r"\b(?:(?:number|loss|level|rate|amount|degree|value)s? of|n[or]\.)\b")
_ONLY_IT = pattern(
    r"\W*(?:(?:i (?:think|believe|guess|suppose|would say)|probably|clearly|so|then|hence|thus|therefore)\W+"
    r"(?:that )?)?(?:it|this|that)(?: is|'s)(?: (?:about|probably|clearly|around))?\s+"
)
_WORD = pattern(r"\w")
_FINAL = pattern(r"\b(?:final(?:ly)?|overall|in conclusion|to conclude|conclusion)\b")
_CUE = pattern(
    r"\b(?:scor\w+|rat(?:e|es|ed|ing)|quality|grad(?:e|es|ed|ing)|marks?|answer|value(?! of)|number(?! of)|verdict"
    r"|points|total|result|assess\w*|assign\w*|award\w*|gives?|gave|giving|given|say|choose|choice|pick|select\w*|estimat\w*|judge\w*"
    r"|stamp|options?|letter|statement|response|reply|output|final(?:ly)?|conclusion)\b"
)


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text as a set, so that long lists of words stay readable."""
    return frozenset(text.split())


# What an answer is called where a colon follows.
_HEADS = word_set(
    """score scores scored rating ratings quality grade grading mark marks answer answers value number verdict points
    total result results assessment estimate evaluation judgement judgment response output reply conclusion
    overall final finally image scan picture ray radiograph it this that is be as follows say give rate opinion
    choice form format stamp step so award assign here summary view good fair poor excellent usable"""
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The words around a mention, in lower case.

    Attributes
    ----------
    sentence : str
        What precedes the mention in its sentence.
    clause : str
        What precedes it in its clause; a tail of `sentence`.
    opening : str
        The sign or word that opens the clause; empty at the start of a sentence.
    after : str
        What follows in the same sentence.
    asked : bool
        Whether the sentence ends with a question mark.
    """

    sentence: str
    clause: str
    opening: str
    after: str
    asked: bool

    @property
    def word_before(self) -> str:
        """The last word of the clause before the mention; empty when the mention opens the clause."""
        words: list[str] = re.findall(r"[\w']+", self.clause[-40:])
        return words[-1] if words else ""

    @property
    def cued(self) -> bool:
        """Whether the sentence speaks of a score, an answer or the like before the mention."""
        return _CUE.search(self.sentence) is not None

    @property
    def final(self) -> bool:
        """Whether the mention is announced as the final or overall one."""
        return _FINAL.search(self.sentence) is not None

    @property
    def pronoun(self) -> bool:
        """Whether "it is" is all that precedes the mention, and its sentence ends with it."""
        return _ONLY_IT.fullmatch(self.sentence) is not None and not self.after.strip(" *'\")")

    @property
    def earlier(self) -> bool:
        """Whether the mention is called a previous, an expected or another value that is not the answer itself."""
        return _EARLIER.search(self.sentence[-80:]) is not None

    @property
    def labelled(self) -> bool:
        """Whether the name before the colon is that of an answer, such as "Final:" or "Score (0-100):"."""
        label = self.sentence[: len(self.sentence) - len(self.clause)].rstrip(": \n")
        label = re.split(r"[,;:—()]\s", _ASIDE.sub("", label))[-1]
        if _ABOUT.search(label):
            return False
        words: list[str] = re.findall(r"[^\W\d_]+", _OF.sub(r"\1", label))
        return bool(words) and (words[-1] in _HEADS or re.search(r"\b(?:is|are|was|has)\b", label) is not None)

    def dismissal(self) -> str:
        """Say why the mention is no answer, whatever it is; empty when nothing speaks against it."""
        limits = re.sub(r"\bscale (?:of|from)\b.*$", "", self.clause) if self.opening == ":" else self.clause
        if self.asked:
            return "stands in a question"
        if _BOUND.search(self.clause):
            return "is a bound"
        if _EXAMPLE.search(self.clause):
            return "is an example"
        if self.opening in ("instead", "rather") and re.match(r"\s*(?:of|than)\b", self.clause):
            return "is denied"
        if _NEGATED.search(self.clause) or _DENIED.match(self.after.lstrip()):
            return "is denied"
        if _HYPOTHETICAL.search(self.sentence):
            return "stands under a condition"
        if _LIMIT.search(limits) or _DEFINED.match(self.after):
            return "explains the scale"
        if _SETTING.search(self.sentence[-80:]) or _PLACE.search(self.clause):
            return "is about something else"
        if _MEDICAL.search(self.clause) or _MEDICAL.search(self.sentence[-30:]):
            return "is about something else"
        aspect = _ABOUT_ASPECT.search(self.clause if self.opening != ":" else self.sentence)
        if (aspect and not _WHOLE.search(self.sentence)) or _FOR_ASPECT.match(self.after):
            return "is about one aspect of quality"
        return ""


class Text:
    """A cleaned text with its sentence and clause boundaries."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lower = text.lower() if len(text.lower()) == len(text) else text
        sentences = list(_SENTENCE.finditer(text))
        self._sentence_starts = [0, *(m.end() for m in sentences)]
        self._sentence_ends = [*(m.start() for m in sentences), len(text)]
        clauses = list(_CLAUSE.finditer(text))
        self._clause_starts = [m.end() for m in clauses]
        self._openings = [m[0].strip().lower() for m in clauses]

    def at_edge(self, start: int, end: int) -> bool:
        """Whether the mention opens or ends the text, or has a line of its own."""
        before, after = self.text[:start], self.text[end:]
        line = before.rpartition("\n")[2] + after.partition("\n")[0]
        return any(_WORD.search(part) is None for part in (before, after, line))

    def around(self, start: int, end: int) -> Surroundings:
        """Return the surroundings of the mention ``text[start:end]``."""
        sentence = self._sentence_starts[bisect_right(self._sentence_starts, start) - 1]
        which = bisect_right(self._clause_starts, start) - 1
        opened = which >= 0 and self._clause_starts[which] > sentence
        clause = self._clause_starts[which] if opened else sentence
        stop = self._sentence_ends[min(bisect_left(self._sentence_ends, end), len(self._sentence_ends) - 1)]
        return Surroundings(
            sentence=self._lower[max(sentence, start - LOOK) : start],
            clause=self._lower[max(clause, start - LOOK) : start],
            opening=self._openings[which] if opened else "",
            after=self._lower[end : min(stop, end + LOOK)],
            asked=self.text[stop : stop + 3].lstrip(".!").startswith("?"),
        )


def joined(text: str, end: int, start: int, join: re.Pattern[str], most: int) -> bool:
    """Whether only a joining word or sign stands between two mentions, or one with the answer's dress said again.

    Parameters
    ----------
    text : str
        The cleaned answer.
    end, start : int
        End of the first mention, start of the second.
    join : re.Pattern
        What joins bare mentions.
    most : int
        Characters that it may have.
    """
    if start - end <= most and join.fullmatch(text, end, start):
        return True
    return start - end <= _AGAIN_MOST and _AGAIN.fullmatch(text, end, start) is not None


@dataclass(frozen=True, slots=True)
class Claim:
    """A mention that is given as the answer.

    Attributes
    ----------
    start, end : int
        Where it stands in the cleaned text.
    value : str or float or None
        None when it cannot be read in one way only.
    problem : str
        Why not.
    final : bool
        Whether it is announced as the final answer.
    """

    start: int
    end: int
    value: float | str | None
    problem: str = ""
    final: bool = False


def settle(claims: Sequence[Claim]) -> Claim | str:
    """Find the one answer among the claims of a text.

    A claim announced as final outweighs those before it; one that contradicts it afterwards leaves the text without
    an answer.

    Returns
    -------
    Claim or str
        The answer, or the reason why there is none; the empty string when nothing was claimed.
    """
    if not claims:
        return ""
    finals = [index for index, claim in enumerate(claims) if claim.final]
    if finals:
        claims = [claim for index, claim in enumerate(claims) if claim.final or index > finals[-1]]
    for claim in claims:
        if claim.value is None:
            return claim.problem
    values = {claim.value for claim in claims}
    if len(values) > 1:
        shown = ", ".join(
            f"{value:g}" if isinstance(value, float) else str(value) for value in sorted(values, key=str)[:5]
        )
        return f"gives more than one answer: {shown}"
    return claims[0]
