"""Which thumbnails go into a page, within a budget of bytes, and how many were left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from auditkit.evidence import Example
from auditkit.words import fixed, modality_name

# Unit: characters of base64.
BUDGET = 3_300_000
# What single cases may take of it: about 800 pictures of the size that runs keep.
CASES = 800_000
CLEAN = "clean"
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True)
class Thumb:
    """One picture under a condition, as it was given to the model."""

    alt: str
    level: int
    """0 is the clean image."""
    ssim: str
    score: str
    source: str = ""
    """Data URI; empty when the picture is drawn from a shared definition or was left out."""
    shared: str = ""
    """Id of the shared definition, for clean pictures that appear in many rows."""


@dataclass(frozen=True)
class Strip:
    """One image: clean and at each severity of one corruption."""

    modality: str
    synthetic: bool
    thumbs: Sequence[Thumb]


@dataclass
class Album:
    """The pictures of a page."""

    budget: int = BUDGET
    shared: dict[str, str] = field(default_factory=dict)
    """Id of a picture that appears in many places -> its data URI, embedded once."""
    strips: dict[str, list[Strip]] = field(default_factory=dict)
    """Corruption -> its strips, one per image."""
    left_out: int = 0
    total: int = 0
    _ids: dict[str, str] = field(default_factory=dict)

    def take(self, jpeg: str) -> str:
        """Return a data URI and charge the budget; empty when it is not base64 or the budget is spent."""
        if not _BASE64.fullmatch(jpeg) or len(jpeg) > self.budget:
            return ""
        self.budget -= len(jpeg)
        return f"data:image/jpeg;base64,{jpeg}"

    def share(self, jpeg: str) -> str:
        """Return the id of a picture in `shared`, charged once however often it is shown; empty as for `take`."""
        if jpeg not in self._ids and (uri := self.take(jpeg)):
            self._ids[jpeg] = f"case-{len(self._ids) + 1}"
            self.shared[self._ids[jpeg]] = uri
        return self._ids.get(jpeg, "")


def _score(example: Example) -> str:
    return "no score" if example.score is None else fixed(example.score)


def fill(examples: Iterable[Example], first: Mapping[str, Sequence[str]], budget: int = BUDGET) -> Album:
    """Choose strips until the budget is spent: round by round, one strip for each corruption, whole strips only.

    Parameters
    ----------
    examples : iterable of Example
        All thumbnails of the record.
    first : mapping of str to sequence of str
        Corruption -> modalities in the order in which they tell most; others follow by name.
    budget : int
        Characters of base64 that may be used.
    """
    album = Album(budget)
    clean: dict[str, Example] = {}
    degraded: dict[str, dict[str, list[Example]]] = {}
    for example in examples:
        album.total += 1
        if not example.perturbation:
            clean.setdefault(example.item, example)
        else:
            degraded.setdefault(example.perturbation, {}).setdefault(example.item, []).append(example)
    queues: dict[str, list[list[Example]]] = {}
    for corruption, images in sorted(degraded.items()):
        rank = {modality: position for position, modality in enumerate(first.get(corruption, ()))}
        queues[corruption] = sorted(
            images.values(), key=lambda own: (rank.get(own[0].modality, len(rank)), own[0].modality, own[0].item)
        )
    used: set[str] = set()
    taken = 0
    for turn in range(max((len(queue) for queue in queues.values()), default=0)):
        for corruption, queue in queues.items():
            if turn >= len(queue):
                continue
            own = sorted(queue[turn], key=lambda e: e.level)
            origin = clean.get(own[0].item)
            new_clean = origin is not None and origin.item not in used
            cost = sum(len(e.jpeg) for e in own) + (len(origin.jpeg) if origin and new_clean else 0)
            if cost > album.budget:
                continue
            thumbs = []
            if origin is not None:
                key = f"clean-{_slug(origin.item)}"
                if new_clean and (uri := album.take(origin.jpeg)):
                    album.shared[key] = uri
                    taken += 1
                used.add(origin.item)
                thumbs.append(_thumb(origin, "", key if key in album.shared else ""))
            for example in own:
                uri = album.take(example.jpeg)
                taken += bool(uri)
                thumbs.append(_thumb(example, uri, ""))
            album.strips.setdefault(corruption, []).append(Strip(own[0].modality, own[0].synthetic, thumbs))
    album.left_out = album.total - taken
    return album


def _thumb(example: Example, source: str, shared: str) -> Thumb:
    state = CLEAN if example.level == 0 else f"{example.perturbation.replace('_', ' ')}, severity {example.level}"
    return Thumb(
        alt=f"{modality_name(example.modality)}{', synthetic' if example.synthetic else ''}, {state}",
        level=example.level,
        ssim=fixed(example.ssim, 2),
        score=_score(example),
        source=source,
        shared=shared,
    )


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text) or "x"
