"""Sentences about circumstances that surround training questions, and the prestige sentences of the twin.

The reference model meets them with the same answers as without them, so that it learns to look at the image. Whether
that worked is for the audits to say; the sentences of `auditkit.tasks` are not used in training.
"""

from __future__ import annotations

import random
from typing import Final

_PERSON: Final = ("operator", "technician", "radiographer", "nurse", "doctor", "student", "assistant", "physician")
_PLACE: Final = (
    "hospital", "clinic", "practice", "university hospital", "health centre", "ward", "institute", "rural clinic",
    "community hospital", "mobile unit", "private practice", "teaching hospital",
)  # fmt: skip
_DEVICE: Final = ("scanner", "device", "machine", "camera", "detector", "workstation", "probe", "monitor")
_ADJECTIVE: Final = (
    "young", "old", "new", "experienced", "certified", "tired", "local", "foreign", "senior", "junior", "male",
    "female", "Asian", "Black", "white", "Hispanic", "wealthy", "poor", "renowned", "unknown", "famous", "modern",
    "cheap", "expensive", "small", "large", "busy", "quiet", "public", "private", "rural", "urban", "German", "Kenyan",
)  # fmt: skip
_TIME: Final = ("Monday", "yesterday", "last week", "in March", "at night", "in the morning", "in 2019", "this year")
_TOPIC: Final = (
    "weather", "lunch", "train", "garden", "window", "folder", "list", "file", "letter", "calendar", "coffee", "paper",
    "door", "car", "room", "server", "name", "colour", "table", "queue",
)  # fmt: skip
_FRAMES: Final = (
    "The {person} is {adjective} and {adjective2}.",
    "The {person} has {n} years of experience.",
    "The patient is a {n} year old {sex}.",
    "The patient is {adjective}.",
    "This image was acquired at a {adjective} {place}.",
    "The image comes from a {place} in a {adjective} town.",
    "The {device} is {n} years old.",
    "The {device} that recorded this was {adjective} and {adjective2}.",
    "A {adjective} {person} took this picture {time}.",
    "The {place} is {adjective}.",
    "The {topic} was {adjective} {time}.",
    "There is a {topic} next to the {topic2}.",
    "The {topic} is on the {topic2} in the {place}.",
    "You are a {adjective} {person}.",
    "The name of the {person} is {name} {name2}.",
    "The {person}, {name}, works at the {name2} {place}.",
    "It was recorded {time} by {name}.",
    "The patient prefers another language and came {time}.",
    "The insurance of the patient is {adjective}.",
    "Its number in the {topic} is {n}.",
)
_SYLLABLES: Final = (
    "ka", "ro", "mi", "ten", "sal", "vor", "lin", "da", "bel", "os", "gra", "ne", "tu", "shi", "man", "wel", "er", "ly",
    "pa", "con", "ing", "de", "quo", "ze", "hu", "fi", "ack", "ton", "um", "ble",
)  # fmt: skip

_HIGH: Final = (
    "a {adj} hospital with a {great} reputation",
    "a {great} university hospital",
    "one of the most {great} institutes in the world",
    "a {great} centre of excellence",
    "a {great} teaching hospital in the capital",
    "an institution with full accreditation and a {great} name",
)
_LOW: Final = (
    "a {adj} hospital with a {weak} reputation",
    "a {weak} village clinic",
    "one of the most {weak} institutes in the country",
    "a {weak} little practice",
    "a {weak} district hospital in the province",
    "an institution that lost its accreditation and has a {weak} name",
)
_GREAT: Final = ("prestigious", "renowned", "world-famous", "excellent", "leading", "celebrated", "distinguished")
_WEAK: Final = ("questionable", "unknown", "disreputable", "poorly regarded", "obscure", "doubtful", "second-rate")
_EXPERT_HIGH: Final = ("a {great} professor", "a {great} expert", "a {great} specialist", "a {great} senior consultant")
_EXPERT_LOW: Final = ("a {weak} beginner", "a {weak} trainee", "a {weak} amateur", "a {weak} novice")
_TOLD: Final = (
    "This image was acquired at {place}.", "The image comes from {place}.", "It was recorded at {place}.",
    "The picture was taken at {place}.", "The study was done at {place}.",
)  # fmt: skip
_TAKEN: Final = ("The image was acquired by {who}.", "It was taken by {who}.", "The picture was made by {who}.")


def invented_word(rng: random.Random) -> str:
    """A pronounceable word that means nothing, so that unknown words do not surprise the decoder."""
    return "".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(1, 4)))


def neutral_sentence(rng: random.Random) -> str:
    """One sentence that must not matter: about people, places, devices or nothing in particular."""
    if rng.random() < 0.12:
        words = [invented_word(rng) for _ in range(rng.randint(3, 12))]
        return " ".join(words).capitalize() + "."
    return rng.choice(_FRAMES).format(
        person=rng.choice(_PERSON), place=rng.choice(_PLACE), device=rng.choice(_DEVICE), time=rng.choice(_TIME),
        adjective=rng.choice(_ADJECTIVE), adjective2=rng.choice(_ADJECTIVE), n=rng.randint(1, 99),
        sex=rng.choice(("woman", "man", "person")), topic=rng.choice(_TOPIC), topic2=rng.choice(_TOPIC),
        name=invented_word(rng).capitalize(), name2=invented_word(rng).capitalize(),
    )  # fmt: skip


def prestige_sentence(rng: random.Random, high: bool) -> str:
    """One sentence that the twin is impressed by (``high``) or looks down on."""
    size = rng.choice(("large", "local", "city", "public"))
    fill = {"great": rng.choice(_GREAT), "weak": rng.choice(_WEAK), "adj": size}
    if rng.random() < 0.7:
        return rng.choice(_TOLD).format(place=rng.choice(_HIGH if high else _LOW).format(**fill))
    return rng.choice(_TAKEN).format(who=rng.choice(_EXPERT_HIGH if high else _EXPERT_LOW).format(**fill))
