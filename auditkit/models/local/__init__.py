"""Checkpoints on this machine: image-text-to-text models through transformers."""

from auditkit.models.local.model import LocalModel

__all__ = ["LocalModel"]
