"""What a network holds inside: the image as the language side is given it, and the state from which it would answer."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from auditkit.models.base import Request
from auditkit.models.local.prefill import last_hidden, on_device

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from auditkit.models.local.engine import Engine

_TOGETHER = 16


def vision_features(engine: Engine, requests: Sequence[Request]) -> NDArray[np.float32]:
    """Return the mean of each image's feature vectors after the projector, shape (n, d).

    One image at a time: families differ in how they lay out the features of several (tiles, lists, packed rows). The
    mean is over all of an image's tokens, tiles included; several images of one request are averaged too.
    """
    import torch

    model = engine.loaded.model
    taken = set(inspect.signature(model.model.get_image_features).parameters)
    found = []
    for request in requests:
        inputs = on_device(model, engine.inputs([request]))
        wanted = {name: value for name, value in inputs.items() if name in taken}
        with torch.inference_mode():
            output = model.get_image_features(**wanted, return_dict=True)
        features = output.pooler_output
        parts = features if isinstance(features, list | tuple) else [features]
        rows = torch.cat([part.reshape(-1, part.shape[-1]) for part in parts])
        found.append(rows.float().mean(dim=0).cpu().numpy())
    return np.stack(found)


def language_features(engine: Engine, requests: Sequence[Request]) -> NDArray[np.float32]:
    """Return the last hidden layer at the last token before the answer, shape (n, d)."""
    import torch

    found = []
    for at in range(0, len(requests), _TOGETHER):
        inputs = engine.inputs(requests[at : at + _TOGETHER])
        with torch.inference_mode():
            found.append(last_hidden(engine.loaded.model, inputs).cpu().numpy())
    return np.concatenate(found)
