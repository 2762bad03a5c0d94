"""Training and test images: phantoms, varied until real images are within their range, then degraded.

What the phantoms lack was found by looking at real DICOM files (which are never trained on): real pictures have other
sharpness, gamma and polarity, letterboxes, burnt-in text, and are cropped anyhow. Each of these appears here on clean
and on degraded images alike, so that none of them can be mistaken for a degradation.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from auditkit.images.phantoms import MODALITIES, phantom
from tools.reference.degradations import CLEAN, HELD_OUT, TRAINED, TYPES, FloatImage, quantise

INPUT_SIZE: Final = 224
"""Side of the square that the network sees."""

SOURCE_SIZE: Final = 256
"""Longer side at which degradations are applied, before the processor resizes."""

_CLEAN_SHARE: Final = 0.16
_VIEWS_PER_PHANTOM: Final = 3
_CHUNK: Final = 480


@dataclass(frozen=True)
class Samples:
    """Images with what is true of them.

    Attributes
    ----------
    pixels
        uint8, ``(n, 224, 224, 3)``.
    modality
        Index into `MODALITIES`, ``(n,)``.
    kind
        Name of the degradation, ``(n,)``; ``"none"`` where the image is clean.
    severity
        0 when clean, else in (0, 1], ``(n,)``.
    """

    pixels: npt.NDArray[np.uint8]
    modality: npt.NDArray[np.int64]
    kind: npt.NDArray[np.str_]
    severity: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.kind)

    def first(self, n: int) -> Samples:
        """The first ``n`` samples."""
        return Samples(self.pixels[:n], self.modality[:n], self.kind[:n], self.severity[:n])


def vary(pixels: npt.NDArray[np.uint8], rng: np.random.Generator) -> FloatImage:
    """Crop, resample, flip, re-window and mark a phantom, leaving it a clean image.

    Parameters
    ----------
    pixels
        A phantom, ``(h, w)`` or ``(h, w, 3)``.
    rng
        Source of the variation.

    Returns
    -------
    numpy.ndarray
        float32 in [0, 1], ``(h, w, 1 or 3)`` with sides up to 256.
    """
    side = pixels.shape[0]
    lowest = min(0.98, 240 / side)
    crop_w = int(side * rng.uniform(lowest, 1.0))
    crop_h = crop_w if rng.random() < 0.7 else int(side * rng.uniform(lowest, 1.0))
    x0, y0 = (int(rng.integers(0, side - crop + 1)) for crop in (crop_w, crop_h))
    width, height = SOURCE_SIZE, SOURCE_SIZE
    if rng.random() < 0.2:  # other aspect ratios, squashed to the square by the processor
        shorter = int(SOURCE_SIZE * rng.uniform(0.6, 0.95))
        width, height = (shorter, SOURCE_SIZE) if rng.random() < 0.5 else (SOURCE_SIZE, shorter)
    filters = (Image.Resampling.BOX, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)
    pil = Image.fromarray(pixels).resize(
        (width, height), filters[int(rng.integers(3))], box=(x0, y0, x0 + crop_w, y0 + crop_h)
    )
    image = _as_float(np.asarray(pil))
    if rng.random() < 0.5:
        image = image[:, ::-1]
    if rng.random() < 0.3:
        image = image[::-1]
    grey = image.shape[2] == 1
    if grey and rng.random() < 0.12:
        image = 1.0 - image
    if rng.random() < 0.6:
        image = np.clip(image, 0.0, 1.0) ** np.float32(np.exp(rng.normal(0.0, 0.3)))
    if rng.random() < 0.4:  # another display window
        low, high = rng.uniform(-0.03, 0.08), rng.uniform(0.85, 1.05)
        image = (image - np.float32(low)) / np.float32(high - low)
    if rng.random() < 0.3:  # edge enhancement, common in radiography
        soft = ndimage.gaussian_filter(image, (1.2, 1.2, 0.0), truncate=2.5)
        image = image + np.float32(rng.uniform(0.2, 1.0)) * (image - soft)
    image = np.ascontiguousarray(np.clip(image, 0.0, 1.0), dtype=np.float32)
    if rng.random() < 0.25:
        _burn_in_text(image, rng)
    if rng.random() < 0.18:
        image = _letterbox(image, rng)
    return image


def _as_float(pixels: npt.NDArray[np.uint8]) -> FloatImage:
    """8-bit pixels to [0, 1], with a channel axis."""
    image = np.asarray(pixels, dtype=np.float32) / np.float32(255.0)
    return image[..., None] if image.ndim == 2 else image


def _burn_in_text(image: FloatImage, rng: np.random.Generator) -> None:
    """Draw lines of letter-like marks, in place."""
    height, width = image.shape[:2]
    level = np.float32(rng.uniform(0.7, 1.0) if image.mean() < 0.6 else rng.uniform(0.0, 0.2))
    for _ in range(int(rng.integers(1, 5))):
        tall = int(rng.integers(5, 11))
        y = int(rng.integers(1, height - tall - 1))
        y = y if rng.random() < 0.3 else int(rng.choice([2 + int(rng.integers(0, 24)), height - tall - 2]))
        x = int(rng.integers(2, max(3, width // 2)))
        for _ in range(int(rng.integers(3, 16))):
            wide = max(3, tall // 2)
            if x + wide + 1 >= width:
                break
            glyph = rng.random((tall, wide)) < 0.25
            glyph[:, int(rng.integers(wide))] = True
            glyph[int(rng.integers(tall))] = True
            image[y : y + tall, x : x + wide][glyph] = level
            x += wide + int(rng.integers(1, 5))


def _letterbox(image: FloatImage, rng: np.random.Generator) -> FloatImage:
    """Replace bands at two opposite sides by black, as a viewer does to keep the aspect ratio."""
    out = image.copy()
    band = int(rng.uniform(0.04, 0.2) * SOURCE_SIZE)
    if rng.random() < 0.5:
        out[:band], out[-band:] = 0.0, 0.0
    else:
        out[:, :band], out[:, -band:] = 0.0, 0.0
    return out


def to_input(image: FloatImage) -> npt.NDArray[np.uint8]:
    """Quantise and resize to the square exactly as the processor does (bicubic, on 8 bits)."""
    pixels = quantise(image)
    pil = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
    return np.asarray(pil.resize((INPUT_SIZE, INPUT_SIZE), Image.Resampling.BICUBIC))


def _chunk(task: tuple[int, int, int, bool, bool]) -> Samples:
    """Make one chunk; a pure function of its task, so that the number of workers changes nothing."""
    seed, first, count, held_out, plain = task
    rng = np.random.default_rng([seed, first, int(held_out)])
    kinds = dict(HELD_OUT if held_out else TRAINED)
    names = list(kinds)
    pixels = np.empty((count, INPUT_SIZE, INPUT_SIZE, 3), dtype=np.uint8)
    modality = np.empty(count, dtype=np.int64)
    kind: list[str] = []
    severity = np.zeros(count)
    base = np.zeros((1, 1), dtype=np.uint8)
    which = 0
    for i in range(count):
        if i % _VIEWS_PER_PHANTOM == 0:
            which = int(rng.integers(len(MODALITIES)))
            base = phantom(MODALITIES[which], int(rng.integers(2**31)), int(rng.choice([256, 304, 352])))
            if plain:
                base = phantom(MODALITIES[which], int(rng.integers(2**31)), SOURCE_SIZE)
        image = _as_float(base) if plain else vary(base, rng)
        name = CLEAN if rng.random() < _CLEAN_SHARE and not held_out else names[int(rng.integers(len(names)))]
        if name != CLEAN:
            severity[i] = 1.0 - rng.random()
            image = np.clip(kinds[name](image, float(severity[i]), rng), 0.0, 1.0)
        pixels[i], modality[i] = to_input(image), which
        kind.append(name)
    return Samples(pixels, modality, np.array(kind), severity)


def make_samples(n: int, seed: int, *, held_out: bool = False, plain: bool = False, workers: int = 1) -> Samples:
    """Draw ``n`` samples from a seed.

    Parameters
    ----------
    n
        Number of images.
    seed
        Another seed shares no phantom with this one.
    held_out
        Use the degradation types kept out of training.
    plain
        Degrade the phantoms as they are drawn, without `vary`.
    workers
        Processes to use; the result does not depend on it.
    """
    tasks = [(seed, first, min(_CHUNK, n - first), held_out, plain) for first in range(0, n, _CHUNK)]
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            parts = list(pool.map(_chunk, tasks))
    else:
        parts = [_chunk(task) for task in tasks]
    return Samples(
        np.concatenate([p.pixels for p in parts]),
        np.concatenate([p.modality for p in parts]),
        np.concatenate([p.kind for p in parts]),
        np.concatenate([p.severity for p in parts]),
    )


def cached_samples(n: int, seed: int, cache: Path, *, workers: int = 2) -> Samples:
    """Like `make_samples`, kept in ``cache`` between runs of the training script."""
    folder = cache / f"samples-{seed}-{n}"
    labels = folder / "labels.npz"
    if not labels.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        made = make_samples(n, seed, workers=workers)
        np.save(folder / "pixels.npy", made.pixels)
        np.savez(labels, modality=made.modality, kind=made.kind, severity=made.severity)
    stored = np.load(labels)
    pixels = np.load(folder / "pixels.npy", mmap_mode="r")
    return Samples(pixels, stored["modality"], stored["kind"], stored["severity"])


def kind_indices(samples: Samples) -> npt.NDArray[np.int64]:
    """Degradation names as indices into `TYPES`."""
    index = {name: k for k, name in enumerate(TYPES)}
    return np.array([index[str(name)] for name in samples.kind], dtype=np.int64)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fill the cache of training images.")
    parser.add_argument("--n", type=int, default=24_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, required=True)
    arguments = parser.parse_args()
    print(len(cached_samples(arguments.n, arguments.seed, arguments.cache)), "samples")
