"""``--audit-engine ray``: the same pass, by workers on many GPUs or nodes that each hold the model."""

from auditkit.ask.ray_engine.engine import RayEngine

__all__ = ["RayEngine"]
