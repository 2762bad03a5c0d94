"""Checkpoints that compare images with texts instead of answering: CLIP, SigLIP and their medical descendants."""

from auditkit.models.dual_encoder.encoder import DualEncoder

__all__ = ["DualEncoder"]
