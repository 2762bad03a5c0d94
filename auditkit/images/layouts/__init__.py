"""The layouts of public data sets: one file each, and one entry in `LAYOUTS`.

A layout is told by its content, never by its name alone where the content can say more; ``NAME:PATH`` names it where
neither tells.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from auditkit.images.files import inside
from auditkit.images.item import UnreadableImage
from auditkit.images.layouts import hf_parquet, medimeta, medimeta_c, medmnist, medmnist_c, medq
from auditkit.images.layouts.layout import Held, Layout, Place

LAYOUTS: tuple[Layout, ...] = (
    medmnist.LAYOUT,
    medmnist_c.LAYOUT,
    medimeta_c.LAYOUT,
    medimeta.LAYOUT,
    hf_parquet.LAYOUT,
    medq.LAYOUT,
)
SUFFIXES = tuple({layout.suffix: None for layout in LAYOUTS if layout.suffix})

__all__ = ["LAYOUTS", "SUFFIXES", "Held", "Layout", "Place", "layout_of", "named", "outside", "within"]


def layout_of(path: Path) -> Layout | None:
    """Return the layout that a file or a folder is told to be by its content, or None."""
    suffix = "" if path.is_dir() else path.suffix.casefold()
    return next((one for one in LAYOUTS if one.suffix == suffix and one.is_one(path)), None)


def named(name: str) -> Layout | None:
    """Return the layout of a name, or None."""
    return next((one for one in LAYOUTS if one.name == name.casefold()), None)


def within(root: Path) -> Sequence[tuple[Layout, Path]]:
    """Return the files and folders of layouts below a folder, sorted; hidden ones are passed over.

    Links to files are followed within it only, links to folders never, as everywhere.

    Parameters
    ----------
    root : Path
        The folder, resolved. If it is one itself it is the only one.
    """
    found: list[tuple[Layout, Path]] = []
    for folder, subfolders, names in os.walk(root, followlinks=False):
        here = Path(folder)
        if (whole := layout_of(here)) is not None:
            found.append((whole, here))
            subfolders.clear()
            continue
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            path = here / name
            if name.startswith(".") or path.suffix.casefold() not in SUFFIXES or outside(root, path):
                continue
            if (one := layout_of(path)) is not None:
                found.append((one, path))
    return found


def outside(root: Path, path: Path) -> str:
    """Return why a file below a folder is not read as one in it; empty where it is."""
    try:
        return "" if inside(root, path.relative_to(root).as_posix()).is_file() else "it is not a regular file"
    except UnreadableImage as error:
        return str(error)
