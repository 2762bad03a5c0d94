"""auditkit: audits that decide whether a vision-language model may be trusted with medical images."""

__version__ = "0.1.0"
