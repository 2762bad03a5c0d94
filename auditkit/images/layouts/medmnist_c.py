"""MedMNIST-C: a folder per data set, a file per corruption, the test pictures five times over, once per severity.

The clean pictures are those of MedMNIST, row by row.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from auditkit.images.files import LICENCE, shown_name
from auditkit.images.item import LeftOut, UnreadableImage
from auditkit.images.layouts import archive
from auditkit.images.layouts.known import data_set
from auditkit.images.layouts.layout import DATA_SET, SPLIT, Held, Layout, Place
from auditkit.images.layouts.rows import Pair, Version, held_rows, pair_of
from auditkit.vocabulary import Perturbation

SEVERITIES = 5
CORRUPTIONS = frozenset(
    (
        *("pixelate", "jpeg_compression", "gaussian_noise", "speckle_noise", "impulse_noise", "shot_noise"),
        *("gaussian_blur", "defocus_blur", "motion_blur", "zoom_blur", "brightness_up", "brightness_down"),
        *("contrast_up", "contrast_down", "saturate", "stain_deposit", "bubble", "black_corner", "characters"),
        *("gamma_corr_up", "gamma_corr_down"),
    )
)
_TEST = "test"


def _is_one(path: Path) -> bool:
    return "test_images" in archive.names(path) and path.stem in CORRUPTIONS


def _entries(place: Place) -> Iterator[Held | LeftOut]:
    if not place.wants(_TEST):
        return
    known = data_set(place.path.parent.name)
    try:
        pair = pair_of(place.path, "test_images", "test_labels", place.settings)
        _check_stacked(pair)
    except UnreadableImage as error:
        yield LeftOut(shown_name(f"{place.name}/test_images"), str(error))
        return
    pictures = len(pair) // SEVERITIES
    declared = {SPLIT: _TEST, "modality": known.modality, DATA_SET: known.name, LICENCE: known.licence}
    changes = [Perturbation(f"medmnist_c.{place.path.stem}", severity + 1) for severity in range(SEVERITIES)]

    def version(row: int) -> Version:
        severity, picture = divmod(row, pictures)
        unit = f"{known.name}/{_TEST}/{picture}"
        return Version(unit, of=pair.key(unit), given=changes[severity])

    yield from held_rows(place, pair, known.labels, declared, version, known.notes)


def _check_stacked(pair: Pair) -> None:
    """Refuse pictures that are not five times the same: their severities would be made up."""
    pictures, over = divmod(len(pair), SEVERITIES)
    first: list[bytes] = []
    for row, classes in enumerate(pair.classes() if not over else ()):
        if row < pictures:
            first.append(np.ascontiguousarray(classes).tobytes())
        elif classes.tobytes() != first[row % pictures]:
            over = 1
            break
    if over:
        raise UnreadableImage(
            f'its {len(pair):,} labels ("test_labels") are not the same {SEVERITIES} times over, as those of '
            f"{SEVERITIES} severities of the same pictures are"
        )


LAYOUT = Layout("medmnist-c", "MedMNIST-C", ".npz", _is_one, _entries)
