"""Changed versions that a source holds itself: each is put with its clean picture, or left out with a reason."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from auditkit.images.columns import PATIENT
from auditkit.images.item import Item, LeftOut, Picture
from auditkit.images.strata import known
from auditkit.masked import shown
from auditkit.vocabulary import Condition, Perturbation

_LONGEST = 200
_SAME = ("label", PATIENT, "study_id", "modality", "sex", "age", "site", "manufacturer")
"""What a version must agree in with its clean picture where both say it."""


@dataclass(frozen=True, slots=True)
class Version:
    """A changed version of a picture.

    Attributes
    ----------
    name : str
        What it is called in messages.
    of : str
        What its clean picture is called.
    change : Perturbation
        How it was changed.
    key : bytes
        SHA-256 of its bytes.
    picture : Picture
        The version.
    declared : mapping of str to object
        What the source says of it.
    """

    name: str
    of: str
    change: Perturbation
    key: bytes
    picture: Picture
    declared: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Named:
    """What the versions of a source may refer to.

    Attributes
    ----------
    files : mapping of str to bytes
        SHA-256 of clean pictures by the names of their files: a version is given wherever the picture is shown.
    called : mapping of str to sequence of int
        Items by their keys: a version is given of the first picture of the item.
    owners : mapping of bytes to (str, mapping)
        By the SHA-256 of a picture that items show, the name of the first of them and what the source says of it.
    lost : mapping of str to str
        By what a clean picture is called, why it is not among the items.
    """

    files: Mapping[str, bytes]
    called: Mapping[str, Sequence[int]]
    owners: Mapping[bytes, tuple[str, Mapping[str, object]]]
    lost: Mapping[str, str]


def attached(
    items: Sequence[Item], keys: Sequence[tuple[bytes, ...]], versions: Iterable[Version], named: Named
) -> tuple[list[Item], list[LeftOut]]:
    """Return items whose pictures have their changed versions (`Picture.given`), and what fits none.

    Parameters
    ----------
    items : sequence of Item
        All items of the source.
    keys : sequence of tuple of bytes
        SHA-256 of the bytes of their pictures.
    versions : iterable of Version
        In the order of the source.
    named : Named
        What they refer to.
    """
    by_change: dict[tuple[str | bytes, Perturbation], list[Version]] = {}
    for version in versions:
        target = version.of if version.of in named.called else named.files.get(version.of, version.of)
        by_change.setdefault((target, version.change), []).append(version)
    reasons: list[LeftOut] = []
    given: dict[str | bytes, dict[Condition, Picture]] = {}
    conditions: dict[Perturbation, Condition] = {}  # equal ones are one object
    clean_of: dict[bytes, bytes] = {}
    for (target, change), several in by_change.items():
        clean = _clean(target, keys, named)
        version, *again = several
        problem = _problem(several, clean, named.owners) if clean else _no_clean(version.of, named.lost)
        if not problem:
            (key,) = clean
            if clean_of.setdefault(version.key, key) != key:
                problem = f"it is the same picture as a changed version of {named.owners[clean_of[version.key]][0]}"
        if problem:
            reasons += [LeftOut(one.name, problem) for one in several]
            continue
        reasons += [LeftOut(one.name, _again(version, one)) for one in again]
        given.setdefault(target, {})[conditions.setdefault(change, (change,))] = version.picture
    return _given(items, keys, given, named.called), reasons


def with_versions(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return the items with the address of all changed pictures that their source holds (`Item.versions`).

    Before any is left out because nobody asks about it: the address of the data must not depend on what is asked.
    """
    return tuple(replace(item, versions=_over(item)) for item in items)


def _over(item: Item) -> str:
    held = [
        [place, *((step.name, step.level) for step in condition), version.content]
        for place, picture in enumerate(item.pictures)
        for condition, version in picture.given.items()
    ]
    return hashlib.sha256(json.dumps(sorted(held)).encode()).hexdigest() if held else ""


def _clean(target: str | bytes, keys: Sequence[tuple[bytes, ...]], named: Named) -> set[bytes]:
    """Return the pictures that a version may have been made of."""
    if isinstance(target, bytes):
        return {target} & named.owners.keys()
    return {keys[item][0] for item in named.called.get(target, ())}


def _given(
    items: Sequence[Item],
    keys: Sequence[tuple[bytes, ...]],
    given: Mapping[str | bytes, Mapping[Condition, Picture]],
    called: Mapping[str, Sequence[int]],
) -> list[Item]:
    by_item = {item: own for name, own in given.items() if isinstance(name, str) for item in called[name]}
    result = list(items)
    for index, item in enumerate(items):
        own: list[Mapping[Condition, Picture] | None] = [given.get(key) for key in keys[index]]
        if index in by_item:
            own[0] = {**(own[0] or {}), **by_item[index]}
        if any(own):
            pairs = zip(item.pictures, own, strict=True)
            result[index] = replace(item, pictures=tuple(replace(p, given=g) if g else p for p, g in pairs))
    return result


def _problem(
    several: Sequence[Version],
    clean: set[bytes],
    owners: Mapping[bytes, tuple[str, Mapping[str, object]]],
) -> str:
    """Say why none of some versions, equally changed, can be put with their clean picture; empty where one can."""
    if len(clean) > 1:
        names = " and ".join(sorted(owners[key][0] for key in clean)[:2])
        return f"{len(clean)} clean pictures fit it, among them {names}: which one it was made of is not known"
    version, (key,) = several[0], clean
    if len({one.key for one in several}) > 1:
        names = " and ".join(one.name for one in several[:2])
        return f"there are several pictures of {owners[key][0]} changed by {version.change}, among them {names}"
    if version.key in owners and version.key != key:
        return f"it is a copy of {owners[version.key][0]}, which is another picture than its clean one"
    own, declared = owners[key]
    pairs = ((name, known(declared.get(name)), known(version.declared.get(name))) for name in _SAME)
    if others := [name for name, one, other in pairs if one and other and one != other]:
        return f"it and its clean picture {own} differ in {', '.join(others)}: not of one picture"
    return ""


def _no_clean(of: str, lost: Mapping[str, str]) -> str:
    clean = f"its clean picture ({shown(of, _LONGEST)})"
    return f"{clean} is left out: {lost[of]}" if of in lost else f"{clean} is not among the data"


def _again(first: Version, other: Version) -> str:
    return "it is listed twice" if first.name == other.name else f"it is a copy of {first.name}"
