"""Changed versions that a source holds itself: each is put with its clean picture, or left out with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from auditkit.images.columns import PATIENT
from auditkit.images.item import Item, LeftOut, Picture
from auditkit.images.strata import known
from auditkit.masked import shown
from auditkit.vocabulary import Condition, Perturbation

_LONGEST = 200
Place = tuple[int, int]
"""Which item, and which of its pictures."""
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


def attached(
    items: Sequence[Item],
    keys: Sequence[tuple[bytes, ...]],
    versions: Iterable[Version],
    places: Mapping[str, Sequence[Place]],
    owners: Mapping[bytes, tuple[str, Mapping[str, object]]],
    lost: Mapping[str, str],
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
    places : mapping of str to sequence of (int, int)
        By what a clean picture is called, the items that show it.
    owners : mapping of bytes to (str, mapping)
        By the SHA-256 of a picture that an item shows, the name of that item and what the source says of it.
    lost : mapping of str to str
        By what a clean picture is called, why it is not among the items.
    """
    by_change: dict[tuple[str, Perturbation], list[Version]] = {}
    for version in versions:
        by_change.setdefault((version.of, version.change), []).append(version)
    reasons: list[LeftOut] = []
    given: dict[Place, dict[Condition, Picture]] = {}
    conditions: dict[Perturbation, Condition] = {}  # equal ones are one object
    clean_of: dict[bytes, bytes] = {}
    for (of, change), several in by_change.items():
        found = places.get(of, ())
        clean = {keys[item][position] for item, position in found}
        version, *again = several
        problem = _problem(version, several, clean, owners) if clean else _no_clean(of, lost)
        if not problem:
            (key,) = clean
            if clean_of.setdefault(version.key, key) != key:
                problem = f"it is the same picture as a changed version of {owners[clean_of[version.key]][0]}"
        if problem:
            reasons += [LeftOut(one.name, problem) for one in several]
            continue
        reasons += [LeftOut(one.name, _again(version, one)) for one in again]
        condition = conditions.setdefault(change, (change,))
        for place in found:
            given.setdefault(place, {})[condition] = version.picture
    result = list(items)
    for (item, position), own in given.items():
        pictures = list(result[item].pictures)
        pictures[position] = replace(pictures[position], given=own)
        result[item] = replace(result[item], pictures=tuple(pictures))
    return result, reasons


def _problem(
    version: Version,
    several: Sequence[Version],
    clean: set[bytes],
    owners: Mapping[bytes, tuple[str, Mapping[str, object]]],
) -> str:
    """Say why none of some versions, equally changed, can be put with their clean picture; empty where one can."""
    if len(clean) > 1:
        names = " and ".join(sorted(owners[key][0] for key in clean)[:2])
        return f"{len(clean)} clean pictures fit it, among them {names}: which one it was made of is not known"
    (key,) = clean
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
