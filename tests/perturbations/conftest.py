"""Phantom-like images, made here so that these tests depend on no other part of auditkit."""

import numpy as np
import pytest
from scipy import ndimage


def _radiograph(height: int, width: int) -> np.ndarray:
    """Bright bands over two dark fields: mid-grey on average."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    image = 0.65 - 0.3 * np.exp(-((np.abs(x) - 0.45) ** 2 / 0.06 + y**2 / 0.4)) + 0.08 * np.sin(18 * y + 3 * x**2)
    return image + _texture(height, width)


def _section(height: int, width: int) -> np.ndarray:
    """An ellipse with inner structure on black: dark on average, like MR and OCT."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    inside = (x / 0.7) ** 2 + (y / 0.85) ** 2 < 1
    return inside * (
        _texture(height, width) + 0.35 + 0.15 * np.cos(9 * x) * np.cos(11 * y) + 0.3 * ((x - 0.2) ** 2 + y**2 < 0.05)
    )


def _texture(height: int, width: int) -> np.ndarray:
    """Fine grain, standard deviation 0.04: on images smoother than real ones JPEG's errors come and go by chance."""
    grain = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((height, width)), 0.8)
    return 0.04 * grain / grain.std()


def _eight_bits(image: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


@pytest.fixture(scope="session")
def grey() -> np.ndarray:
    """Read-only, 96 x 128."""
    image = _eight_bits(_radiograph(96, 128))
    image.flags.writeable = False
    return image


@pytest.fixture(scope="session")
def colour() -> np.ndarray:
    """Read-only, 96 x 128 x 3: reddish, with pure black around it, like a fundus photograph."""
    section = _section(96, 128)
    image = _eight_bits(np.stack([section * 1.1, section * _radiograph(96, 128), 0.3 * section], axis=2))
    image.flags.writeable = False
    return image


@pytest.fixture(scope="session")
def phantoms(grey, colour) -> list[np.ndarray]:
    return [grey, colour, _eight_bits(_section(112, 112))]
