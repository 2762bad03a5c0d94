"""Read a grade, a yes or no, or the letter of an option out of an answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from auditkit.tasks.context import Claim, Surroundings, Text, joined, settle, word_set
from auditkit.tasks.pattern import pattern

LETTERS = "ABCDEFGHJKLMNOPQ"
"""The letters of options. No I: in an answer it is the writer."""
GRADES = {"good": 100.0, "usable": 50.0, "reject": 0.0}
ANSWERS = {"yes": 100.0, "no": 0.0}

_JOIN = pattern(r"\s*(?:or|and|to|vs|[/|,&→-])?\s*(?:or|and)?\s*", re.I)
_LETTER = pattern(r"(?<![\w'.-])[a-zA-Z](?![\w']|-\w)")
_RUNS_ON = pattern(r"[.:]\w")  # as in A.M.
_ARTICLE = pattern(r"a\s+\w")
_LINK = word_set(
    """is be 's as a an the say choose pick select answer grade grading verdict stamp option letter statement choice
    would it's rate rated graded quality image of overall final finally it this response rating result mark with for
    give"""
)
_GOES_ON = word_set(
    """because since due as for and with given overall here i it this which on in while despite quality its the that
    my or vs versus"""
)
_SUBJECT = pattern(r"\b(?:image|it|it's|this|scan|picture|stamp|grade|verdict|i'd|i)\b")
_CORRECT = pattern(r"is (?:the |my )?(?:correct|best|right|answer|choice|most)")
_FITNESS = r"(?:diagnostic|adequate|sufficient|acceptable|enough|suitable|usable)"
_UNFIT = pattern(rf"\b(?:is|are|was)(?: not|n't)(?: \w+){{0,3}} {_FITNESS}", re.I)
_FIT = pattern(rf"\b(?:is|are|was)(?: (?!not\b|in)\w+){{0,3}} {_FITNESS}\b", re.I)

_BEST = pattern(
    r"\W*(?:[Tt]he\s+)?(?:[Bb]est|[Cc]losest)(?:\s+\w+){0,3}?\s+is\s+(?:(?:[Oo]ption|letter|statement)\s+)?\W?([A-Z])\W*"
)
_FORMS = {"rejected": "reject"}
"""Words that are given for one of those asked for, and mean the same."""

_Given = Callable[[str, int, int, Surroundings], bool]


@dataclass(frozen=True, slots=True)
class Option:
    """One lettered option: its meaning is either a score or a label.

    Attributes
    ----------
    letter : str
        One capital letter.
    text : str
        The option as the model reads it.
    score : float or None
        0-100 points.
    label : str or None
        A name for what the option says, where it is not a matter of more or less.
    picture : int or None
        Which picture the option names by its place, 1 or 2: in the other order it names the other one.
    """

    letter: str
    text: str
    score: float | None = None
    label: str | None = None
    picture: int | None = None

    @property
    def said(self) -> str:
        """What an answer that gives this option says: its label, else its letter."""
        return self.label or self.letter


def read_word(text: Text, words: Sequence[str]) -> tuple[Claim | str, list[str]]:
    """Find the one word of a list that is given as the answer.

    Parameters
    ----------
    text : Text
        The cleaned answer.
    words : sequence of str
        The words asked for, in lower case.

    Returns
    -------
    settled : Claim or str
        The claim, or why there is none.
    notes : list of str
        Why words in the text were passed over.
    """
    forms = {word: word for word in words} | {form: word for form, word in _FORMS.items() if word in words}
    every = re.finditer(rf"(?<![\w-])(?:{'|'.join(forms)})(?![\w-])", text.text, re.I)
    found_words = [(m.start(), m.end(), forms[m[0].lower()]) for m in every]
    mentions = [(start, end, word) for start, end, word in found_words if _ends(text.around(start, end))]
    claims, notes = _claims(text, mentions, _word_given)
    return settle(claims), notes


def read_fitness(text: Text) -> tuple[Claim | str, list[str]]:
    """Find the yes or no to whether an image is good enough; as `read_word`, and the rest must not say the contrary."""
    settled, notes = read_word(text, tuple(ANSWERS))
    if isinstance(settled, Claim):
        against = _UNFIT if settled.value == "yes" else _FIT
        found = against.search(text.text)
        if found:
            return f"says {settled.value!r} and {found[0]!r}, which contradict each other", notes
    return settled, notes


def read_option(text: Text, options: Sequence[Option]) -> tuple[Claim | str, list[str]]:
    """Find the one option that is given as the answer, by its letter or by its full text.

    A letter that is not on offer is returned as it stands; the caller knows that it is out of range.
    """
    named = {_bare(option.text): option.letter for option in options}
    lettered = {_bare(f"{option.letter} {option.text}"): option.letter for option in options}
    whole = _bare(
        re.sub(
            r"^\W*(?:(?:(?:the|my|final)\s+)*(?:answer|response)(?:\s+is|\s*:)|finally)\s*", "", text.text, flags=re.I
        )
    )
    if whole in named or whole in lettered:
        return Claim(0, len(text.text), (named | lettered)[whole]), []
    best = _BEST.fullmatch(text.text)
    if best:
        return Claim(best.start(1), best.end(1), best[1]), []
    letters = {option.letter for option in options}
    mentions = [
        (m.start(), m.end(), m[0].upper())
        for m in _LETTER.finditer(text.text)
        if m[0] != "I" and (m[0].isupper() or m[0].upper() in letters) and not _ARTICLE.match(text.text, m.start())
    ]
    claims, notes = _claims(text, mentions, _letter_given)
    checked = [_consistent(text, claim, named) for claim in claims]
    return settle(checked), notes


def _claims(text: Text, mentions: list[tuple[int, int, str]], given: _Given) -> tuple[list[Claim], list[str]]:
    claims: list[Claim] = []
    notes: list[str] = []
    for group in _chains(text.text, mentions):
        start, end = group[0][0], group[-1][1]
        around = text.around(start, end)
        shown = text.text[start:end][:40]
        why = around.dismissal()
        if why or not given(text.text, start, end, around):
            notes.append(f"{shown!r} {why or 'is not said to be the answer'}")
        elif len({value for _, _, value in group}) > 1:
            claims.append(Claim(start, end, None, f"gives more than one answer: {shown!r}", around.final))
        else:
            claims.append(Claim(start, end, group[0][2], final=around.final))
    return claims, notes


def _chains(text: str, mentions: list[tuple[int, int, str]]) -> Iterator[list[tuple[int, int, str]]]:
    group: list[tuple[int, int, str]] = []
    for mention in mentions:
        if group and not joined(text, group[-1][1], mention[0], _JOIN, 20):
            yield group
            group = []
        group.append(mention)
    if group:
        yield group


def _word_given(text: str, start: int, end: int, around: Surroundings) -> bool:
    if not _ends(around):
        return False
    before = around.word_before
    if not before:
        return around.opening != ":" or around.cued or _SUBJECT.search(around.sentence) is not None
    return before in _LINK and (around.cued or _SUBJECT.search(around.sentence) is not None)


def _letter_given(text: str, start: int, end: int, around: Surroundings) -> bool:
    openings = ("", "(", ":", ";", ",", "—", "-", "so", "therefore")
    alone = not around.clause.strip(" (*'-–—#") and around.opening in openings
    if _RUNS_ON.match(around.after):
        return False
    following = around.after.lstrip(" ")
    marked = following[:1] in (".", ")", ":", "-", "–", "—", "=")
    if alone and around.opening in ("", "(") and (marked or not following or _ends(around)):
        return True
    if not _ends(around) and not _CORRECT.match(following) and not marked:
        return False
    if alone:
        return around.cued or around.opening != ":"
    if around.pronoun:
        return text[start].isupper()
    return around.word_before in _LINK and around.cued


def _ends(around: Surroundings) -> bool:
    """Whether the mention is followed by nothing that it would qualify, as in "good contrast" or "no noise"."""
    if _RUNS_ON.match(around.after):
        return False
    following = around.after.lstrip(" *'")
    if not following or following[0] in ".,;:!?)-–—(/|&→\n" or unicodedata.category(following[0]) == "So":
        return True
    word = re.match(r"[\w']+", following)
    return word is not None and word[0] in _GOES_ON


def _consistent(text: Text, claim: Claim, named: dict[str, str]) -> Claim:
    """Take back a letter that stands before the text of another option."""
    line = _bare(text.text[claim.end :].partition("\n")[0])
    if claim.value is not None and named.get(line, claim.value) != claim.value:
        problem = f"gives the letter {claim.value} with the text of {named[line]}"
        return Claim(claim.start, claim.end, None, problem, claim.final)
    return claim


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text[:400]).strip().casefold()
