"""A run against earlier ones: the previous version (``--audit-baseline``), a frozen one (``--audit-anchor``)."""
