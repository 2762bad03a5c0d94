"""Models: one seam (`auditkit.models.base`), back ends behind it, and a registry of known names."""
