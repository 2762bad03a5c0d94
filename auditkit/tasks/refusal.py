"""Recognise that a model declines to answer, or says that there is no image to speak of."""

from __future__ import annotations

import re

from auditkit.tasks.pattern import pattern

_TASK = (
    r"(?:rat(?:e|ing)|assess|evaluat|judg|scor(?:e|ing)|grad(?:e|ing)|determin|answer|provid|give|giving|help|assist"
    r"|analy[sz]|interpret|comment|diagnos|comply|fulfil|respond|do that|do this|make"
    r"|(?:view|see|access|open|process)(?:ing)? (?:(?:the|this|that|your|any|an) )?(?:attached |medical )?"
    r"(?:image|picture|photo|scan|file|attachment))"
)
_CANNOT = (
    r"(?:can ?not|can't|could ?n[o']t|couldn't|(?:am |'m )?(?:un|not )able to|won't|will not|do not feel able to"
    r"|(?:am |'m )not (?:allowed|permitted|qualified|comfortable|authori[sz]ed|equipped|trained|designed)"
    r"|(?:must|have to) (?:decline|refuse)|decline|refuse)"
)
# First person, or a bare "Cannot ..." / "Unable to ..." that opens a sentence. The gaps are bounded: linear time.
_DIRECT = pattern(
    rf"(?:\b(?:i|we)\b[ ,']?[^.;:!?\n]{{0,30}}?{_CANNOT}|(?:^|[.!?\n,]|\bbut\b|\bsorry\b)\s{{0,5}}{_CANNOT})"
    rf"\b[^.;:!?\n]{{0,40}}?\b{_TASK}",
    re.I,
)
# Of a description what counts is how it opens: within it "I cannot determine the cause of the noise" is an observation.
_OPENING = pattern(
    rf"(?:[\W_]*(?:(?:i(?:'m| am)|we(?:'re| are)) (?:so |very |really )?sorry|sorry|unfortunately|i apologi[sz]e"
    rf"|as an? (?:ai|artificial|large language|language|vision|text)[^.;:!?\n]{{0,60}}?)[\s,.;:!-]{{1,5}}"
    rf"(?:but\s)?)?\W{{0,5}}(?:(?:i|we)[ ,']?[^.;:!?\n]{{0,30}}?)?{_CANNOT}\b[^.;:!?\n]{{0,40}}?\b"
    rf"(?:{_TASK}|describ|compar)",
    re.I,
)
_OTHER_TASK = pattern(r"(?:diagnos|medical advice|clinical|treatment|interpret(?:ation)? of)", re.I)
_SOFT = pattern(
    r"\bas an? (?:ai|artificial|large language|language|vision|text)\b"
    r"|\bi(?:'m| am) (?:only |just )?an? (?:ai|language model|large)"
    r"|\bi(?:'m| am) (?:so |very |really )?sorry\b|^\W*sorry\b|\bi apologi[sz]e\b|\bmy apologies\b"
    r"|\bi(?:'m| am) not an? (?:\w+ )?(?:doctor|physician|radiologist|professional|clinician|expert)"
    r"|\bplease consult\b"
    r"|\bagainst my (?:guidelines|policy|programming)"
    r"|\b(?:cannot|can not|can't) be (?:assessed|rated|scored|graded|judged|determined|evaluated)\b"
    r"|\bunable to assess\b",
    re.I,
)

_IMAGE = (
    r"(?:(?:an?|any|the|your|this|that|such)\s)?(?:(?:actual|medical|attached|uploaded|valid|chest|input)\s){0,2}"
    r"(?:images?|pictures?|photo(?:graph)?s?|scans?|x-?rays?|radiographs?|attachments?|visual input)"
)
_GIVEN = (
    r"(?:provided|attached|uploaded|included|supplied|given|shared|sent|received|visible|present|available|found"
    r"|loaded|displayed|shown|detected)"
)
# What may follow the image, so that "no image noise" and "no scan lines" are something else.
_AND_ENDS = (
    rf"(?=\s*(?:[.,;:!?)\n—–]|$)|\s+-\s|\s+(?:{_GIVEN}|here|to|in|with|for|from|that|you|so|and|or|directly|itself|yet"
    r"|on)\b)"
)
_NOT_SEEN = (
    r"(?:(?:do|did|can|could) ?n[o']t|cannot|can't|don't|didn't|couldn't|(?:am |'m |was )(?:un|not )able to"
    r"|do not|did not|could not)"
)
_NO_IMAGE = pattern(
    rf"\bno {_IMAGE}\s(?:(?:was|were|is|are|has been|have been|seems? to be|appears? to (?:be|have been))\s"
    rf"(?:\w+ly\s)?)?{_GIVEN}\b"
    rf"|\bthere(?:'s| is| was| are| seems to be| appears to be)(?: no|n't) {_IMAGE}{_AND_ENDS}"
    rf"|\b(?:i|we) ?{_NOT_SEEN} (?:\w+ly )?(?:see|view|find|access|open|have(?: access to)?|receive|load|detect)"
    rf" {_IMAGE}{_AND_ENDS}"
    rf"|\b(?:i|we) (?:see|have|received|got) no {_IMAGE}{_AND_ENDS}"
    rf"|\b{_IMAGE} (?:(?:was|is|were|are|has been|could|did|does|has|seems?|appears?) ?(?:to be |to have been )?"
    r"(?:not|n't) (?:been |be )?(?:provided|attached|uploaded|included|supplied|given|shared|sent|received|available"
    r"|found|load(?:ed)?|display(?:ed)?|come through|show up|there)\b"
    r"|(?:is|was|seems to be|appears to be) missing(?=\s*(?:[.,;:!?)\n]|$))"
    r"|(?:has )?failed to (?:load|upload|display)\b)"
    r"|\b(?:you|user) (?:seem to have |have |may have )?(?:not|haven't|didn't|did not|forgot(?:ten)? to) "
    rf"(?:actually )?(?:attach|upload|provid|includ|shar|send|sent|suppl)\w* {_IMAGE}{_AND_ENDS}"
    rf"|\bwithout (?:seeing |access to |having )?{_IMAGE}{_AND_ENDS}",
    re.I,
)
_PLEASE = pattern(rf"\bplease (?:re-?)?(?:upload|attach|provide|share|send|supply|include)(?: me)? {_IMAGE}\b", re.I)


def denies_image(text: str) -> bool:
    """Whether the text says that there is no image: nothing else in it can be about one then."""
    return _NO_IMAGE.search(text) is not None


def asks_for_image(text: str) -> bool:
    """Whether the text asks for the image; an answer beside it outweighs that ("... a sharper image, please")."""
    return _PLEASE.search(text) is not None


def declines(text: str) -> bool:
    """Whether the text says outright that it will not, or cannot, do what was asked."""
    found = _DIRECT.search(text)
    # Declining to diagnose is no refusal to judge an image's quality; whoever says only that is caught by `hedges`.
    return found is not None and _OTHER_TASK.search(text, found.start(), min(len(text), found.end() + 40)) is None


def opens_declining(text: str) -> bool:
    """Whether a text in free words opens by saying that it will not, or cannot, do what was asked."""
    return _OPENING.match(text) is not None


def hedges(text: str) -> bool:
    """Whether the text has the words of a refusal, which an answer beside them outweighs."""
    return _DIRECT.search(text) is not None or _SOFT.search(text) is not None
