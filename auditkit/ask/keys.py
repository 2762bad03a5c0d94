"""Content addresses: whatever could change an answer is in its key, so one changed pixel, word or setting misses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from auditkit.tasks import Prompt
    from auditkit.vocabulary import Condition, Perturbation

KEY_VERSION = 1
AGAIN, ALONE = "again", "alone"
"""The two perturbations of stage ``asking``."""
VISION = "vision"


def digest_of(*parts: object) -> str:
    """Return the SHA-256 (hex) over a JSON list of the parts."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def pixel_digest(pixels: NDArray[np.generic]) -> str:
    """Return the SHA-256 (hex) over dtype, shape and bytes of an image."""
    digest = hashlib.sha256(f"{pixels.dtype.str}{pixels.shape}".encode())
    digest.update(pixels.tobytes())
    return digest.hexdigest()


NO_PICTURE = digest_of(KEY_VERSION, "no picture")
"""Stands in keys where a digest of pixels would: nothing is shown."""


def pictures_digest(shown: Sequence[NDArray[np.generic]]) -> str:
    """Return the SHA-256 (hex) that stands for the pictures of a request: that of the only one's pixels."""
    if not shown:
        return NO_PICTURE
    digests = [pixel_digest(pixels) for pixels in shown]
    return digests[0] if len(digests) == 1 else digest_of("pictures", *digests)


def render_key(before: str, perturbation: Perturbation, version: str, libraries: str, seed: int) -> str:
    """Return the key of a rendered image, one perturbation at a time.

    Parameters
    ----------
    before : str
        What the perturbation was applied to: the digest of the unchanged pixels, else the key of the step before.
    perturbation : Perturbation
        What was done.
    version : str
        Of the perturbation's entry, changed whenever one of its pixels changes.
    libraries : str
        Versions of the libraries that can change a pixel.
    seed : int
        The protocol's seed.
    """
    return digest_of(KEY_VERSION, before, perturbation.name, perturbation.level, version, libraries, seed)


def answer_key(pixels: str, prompt: Prompt, asking: Condition, model_identity: str, batch_size: int) -> str:
    """Return the key under which an answer is stored.

    Parameters
    ----------
    pixels : str
        `pictures_digest` of the pictures the model is given.
    prompt : auditkit.tasks.Prompt
        Every text turn, the choices, the length limit, and the statements where there are any. Where only answers are
        wanted (``--audit-scoring=generate``) there are no choices, so an answer without probabilities is never taken
        for one with them.
    asking : Condition
        The condition's perturbations of stage ``asking``: what is done to pixels and words is in the other parts.
        ``alone`` enters beside the batch size, so that with batches of one it is still a question of its own.
    model_identity : str
        Hash over name, revision and fingerprint (weights, processor, numerics).
    batch_size : int
        Number of requests given to the model at once; 1 for probes asked alone.
    """
    levels = {perturbation.name: perturbation.level for perturbation in asking}
    alone = ALONE in levels
    return digest_of(
        KEY_VERSION,
        pixels,
        [prompt.system, prompt.user, prompt.choices, prompt.max_new_tokens, *filter(None, [prompt.statements])],
        [levels.get(AGAIN, 0), alone],
        1 if alone else batch_size,
        model_identity,
    )


def embedding_key(pixels: str, prompt: Prompt, kind: str, model_identity: str) -> str:
    """Return the key under which an embedding is stored.

    Parameters
    ----------
    pixels : str
        `pixel_digest` of the image the model is given.
    prompt : auditkit.tasks.Prompt
        Every text turn and the choices. Not counted for ``"vision"``: image features are computed before any text is
        read, so another wording finds them again. The length limit does not count: nothing is generated.
    kind : str
        Which of the model's embeddings.
    model_identity : str
        Hash over name, revision and fingerprint. Not the batch size, which moves a vector by less than float16 can
        resolve (3e-7 of its values in float32, against 5e-4); where it moves more, it is in the fingerprint.
    """
    words = None if kind == VISION else [prompt.system, prompt.user, prompt.choices]
    return digest_of(KEY_VERSION, "embedding", pixels, words, kind, model_identity)
