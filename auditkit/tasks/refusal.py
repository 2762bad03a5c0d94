"""Recognise that a model declines to answer."""

from __future__ import annotations

import re

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
_DIRECT = re.compile(
    rf"(?:\b(?:i|we)\b[ ,']?[^.;:!?\n]{{0,30}}?{_CANNOT}|(?:^|[.!?\n,]|\bbut\b|\bsorry\b)\s{{0,5}}{_CANNOT})"
    rf"\b[^.;:!?\n]{{0,40}}?\b{_TASK}",
    re.I,
)
_OTHER_TASK = re.compile(r"(?:diagnos|medical advice|clinical|treatment|interpret(?:ation)? of)", re.I)
_SOFT = re.compile(
    r"\bas an? (?:ai|artificial|large language|language|vision|text)\b"
    r"|\bi(?:'m| am) (?:only |just )?an? (?:ai|language model|large)"
    r"|\bi(?:'m| am) (?:so |very |really )?sorry\b|^\W*sorry\b|\bi apologi[sz]e\b|\bmy apologies\b"
    r"|\bi(?:'m| am) not an? (?:\w+ )?(?:doctor|physician|radiologist|professional|clinician|expert)"
    r"|\bno image (?:was|has been|is|appears)\b|\bplease (?:upload|provide|attach|share|consult)\b"
    r"|\bagainst my (?:guidelines|policy|programming)"
    r"|\bi (?:do not|don't) (?:see|have access to) (?:an|any|the) (?:image|picture|attachment)"
    r"|\b(?:cannot|can not|can't) be (?:assessed|rated|scored|graded|judged|determined|evaluated)\b"
    r"|\bunable to assess\b",
    re.I,
)

_IMAGE = r"(?:(?:medical|attached|actual|x-?ray) )?(?:image|picture|photo(?:graph)?|scan|radiograph|attachment|file)s?"
_NOT_GIVEN = (
    r"(?:attached|provided|uploaded|shared|included|available|given|found|loaded|supplied|received|there|visible)"
)
_NO_IMAGE = re.compile(
    rf"\bno {_IMAGE} (?:(?:was|were|is|are|has been|have been|seems?(?: to be)?|appears?(?: to be)?) )?"
    rf"(?:{_NOT_GIVEN}|present|shown|displayed|here)\b"
    rf"|\bthere(?:'s| is| was| seems to be| appears to be) no {_IMAGE}\b(?! (?:artefact|artifact|quality|noise))"
    rf"|\b(?:do not|don't|did not|didn't|cannot|can not|can't|could not|couldn't|(?:am |'m )?(?:unable|not able) to)"
    rf" (?:actually )?(?:see|view|access|open|find|load|receive|have) (?:an|any|the|your|this|that) {_IMAGE}\b"
    rf"|\b{_IMAGE} (?:is|was|seems?(?: to be)?|appears?(?: to be)?) (?:missing\b|not "
    r"(?:attached|provided|uploaded|shared|included|available|there|loaded|supplied)\b)"
    rf"|\b{_IMAGE} (?:could not|cannot|can not|can't|couldn't|failed to|did not|didn't) (?:be )?"
    r"(?:load|open|found|accessed|displayed|processed)"
    rf"|\b(?:please )?(?:upload|attach|provide|share|send)(?: me)? (?:an|the|your) {_IMAGE}\b"
    rf"|\byou (?:have not|haven't|did not|didn't) (?:provide|attach|upload|share|include|send)\w*"
    rf" (?:an|any|the) {_IMAGE}",
    re.I,
)


def denies_image(text: str) -> bool:
    """Whether the text says that no image was given, so that no answer in it can be about one."""
    return _NO_IMAGE.search(text) is not None


def declines(text: str) -> bool:
    """Whether the text says outright that it will not, or cannot, do what was asked."""
    found = _DIRECT.search(text)
    # Declining to diagnose is no refusal to judge an image's quality; whoever says only that is caught by `hedges`.
    return found is not None and _OTHER_TASK.search(text, found.start(), min(len(text), found.end() + 40)) is None


def hedges(text: str) -> bool:
    """Whether the text has the words of a refusal, which an answer beside them outweighs."""
    return _DIRECT.search(text) is not None or _SOFT.search(text) is not None
