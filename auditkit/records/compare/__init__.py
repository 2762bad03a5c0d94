"""Several models under one protocol on the same images: differences paired within the image, ties said as ties."""

from auditkit.records.compare.build import MAX_MODELS, compare

__all__ = ["MAX_MODELS", "compare"]
