"""Two laws: one of pixels, one of words."""

import numpy as np


def grid(pixels, key, *, period, shade):
    """Darken every n-th line to a share of what it was; the key says where the lines begin."""
    result = pixels.copy()
    lines = np.arange(pixels.shape[0]) % period == key[0] % period
    result[lines] = (result[lines] * shade).astype(pixels.dtype)
    return result


def signed(text, *, by):
    """Say who asks, after the question; the slot stays, so that a sentence can follow."""
    return text.replace("{context}", f"Asked by {by}. {{context}}")
