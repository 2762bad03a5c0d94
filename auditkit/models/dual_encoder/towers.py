"""The two encoders of a checkpoint, loaded offline from safetensors: texts and images to unit vectors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image

from auditkit.errors import AuditkitError
from auditkit.models.on_disk import require_all

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

_TRIAL_TEXTS = ("A sharp image.", "A blurred image, taken at night.")


class Towers:
    """A loaded checkpoint.

    Parameters
    ----------
    model, processor
        From transformers: a model with ``get_image_features``, ``get_text_features`` and ``logit_scale``.

    Attributes
    ----------
    scale : float
        What cosine similarities are multiplied with: exp of the checkpoint's ``logit_scale``.
    limit : int
        Tokens that a text may have, special tokens included.
    bytes_per_image : int
        Estimate of the memory that encoding one image takes beside the weights.
    """

    def __init__(self, model: Any, processor: Any) -> None:
        self._model = model
        self._tokenizer = processor.tokenizer
        self._image_processor = processor.image_processor
        text = getattr(model.config, "text_config", None)
        if not hasattr(model, "logit_scale"):
            raise ValueError("it has no logit_scale, so that its similarities give no probabilities")
        self.scale = float(model.logit_scale.detach().float().exp())
        self.limit = int(min(self._tokenizer.model_max_length, getattr(text, "max_position_embeddings", 1 << 30)))
        # SigLIP was trained on texts padded to the full length and reads its answer at the last place, padding or not;
        # CLIP reads at the end token, whatever follows.
        self._padding = "max_length" if "siglip" in model.config.model_type else "longest"
        self.bytes_per_image = _bytes_per_image(model.config.vision_config, model.dtype.itemsize)

    def length(self, text: str) -> int:
        """Return the tokens of a text, special tokens included."""
        return len(self._tokenizer(text)["input_ids"])

    def texts(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return unit vectors, shape (n, d); no text may be longer than ``limit``."""
        import torch

        with torch.inference_mode():
            return _unit(self._model.get_text_features(**self._tokens(texts)))

    def images(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Return unit vectors, shape (n, d), from one pass."""
        import torch

        with torch.inference_mode():
            return _unit(self._model.get_image_features(**self._pixels(images)))

    def check(self) -> None:
        """Hold scale, vectors and bias to the checkpoint's own similarities, on a made-up image.

        Raises
        ------
        ValueError
            When they differ by more than rounding: then this is a model that compares in another way.
        """
        import torch

        noise = np.random.default_rng(0).integers(0, 256, (48, 64), dtype=np.uint8)
        image = [PIL.Image.fromarray(noise)]
        with torch.inference_mode():
            own = self._model(**self._tokens(_TRIAL_TEXTS), **self._pixels(image)).logits_per_image
        bias = getattr(self._model, "logit_bias", None)
        found = self.scale * (self.images(image) @ self.texts(_TRIAL_TEXTS).T)
        found = found + (0.0 if bias is None else float(bias.detach()))
        rounding = 32 * torch.finfo(self._model.dtype).eps * (self.scale + float(own.abs().max()))
        if not np.allclose(found, own.float().cpu().numpy(), rtol=0.0, atol=rounding):
            raise ValueError(f"its similarities are {own.tolist()}, its vectors give {found.tolist()}")

    def _tokens(self, texts: Sequence[str]) -> dict[str, Any]:
        options = {"max_length": self.limit} if self._padding == "max_length" else {}
        tokens = self._tokenizer(list(texts), padding=self._padding, return_tensors="pt", **options)
        return dict(tokens.to(self._model.device))

    def _pixels(self, images: Sequence[Image]) -> dict[str, Any]:
        inputs = self._image_processor(images=[image.convert("RGB") for image in images], return_tensors="pt")
        return dict(inputs.to(self._model.device, self._model.dtype))  # only what is not whole numbers is cast


def load(path: Path, name: str, dtype: str, unread: Sequence[str] = ()) -> Towers:
    """Load a checkpoint, without a network and without running code from the folder.

    Parameters
    ----------
    path : pathlib.Path
        Folder with config.json, ``*.safetensors`` and the processor's files.
    name : str
        What the user typed after ``--model``, for the message.
    dtype : str
        ``float32``, ``bfloat16`` or ``float16``.
    unread : sequence of str
        Patterns of weights that the network has no place for and needs not.

    Raises
    ------
    AuditkitError
        When it cannot be loaded, lacks weights, has some that are not read, or compares images and texts in another way
        than by a scaled cosine.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        import torch
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        # Said outright: without a word on it, transformers asks at the terminal whether to run the folder's code.
        own_code_only = {"local_files_only": True, "trust_remote_code": False}
        processor = transformers.AutoProcessor.from_pretrained(path, **own_code_only)
        model, report = transformers.AutoModel.from_pretrained(
            path,
            dtype=dtype,
            device_map="cuda" if torch.cuda.is_available() else None,
            use_safetensors=True,
            output_loading_info=True,
            **own_code_only,
        )
        towers = Towers(model.eval(), processor)
        towers.check()
        require_all(report, path, name, unread)
    except AuditkitError:
        raise
    except ImportError as error:  # SigLIP's own tokenizer reads its vocabulary with sentencepiece
        raise AuditkitError(
            f"--model={name}: {path} needs a package that is not installed: {' '.join(str(error).split())}",
            "Install it; for SigLIP and MedSigLIP: pip install sentencepiece",
        ) from None
    except Exception as error:  # files of strangers: OSError, KeyError, AttributeError, SafetensorError, ...
        raise AuditkitError(
            f"--model={name}: {path} could not be loaded as a dual encoder: {type(error).__name__}: {error}.",
            "It must be a CLIP, SigLIP or like checkpoint with its processor, as save_pretrained writes it.",
        ) from None
    return towers


def _unit(found: Any) -> NDArray[np.float64]:
    """Normalise what the features are given as: a tensor, or an output that holds it."""
    vectors: NDArray[np.float64] = getattr(found, "pooler_output", found).double().cpu().numpy()
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _bytes_per_image(vision: Any, itemsize: int) -> int:
    """Estimate the activations of a vision transformer that are held at once, attention included."""
    patch = int(getattr(vision, "patch_size", 16))
    patches = int(getattr(vision, "num_patches", 0)) or (int(getattr(vision, "image_size", 224)) // patch) ** 2
    width = int(getattr(vision, "hidden_size", 768))
    inner = int(getattr(vision, "intermediate_size", 4 * width))
    heads = int(getattr(vision, "num_attention_heads", 12))
    return itemsize * ((patches + 1) * (8 * width + 2 * inner) + heads * (patches + 1) ** 2 + 8 * patches * patch**2)
