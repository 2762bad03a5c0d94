"""The runs of one model in time: what changed, what got worse when, and what drifts slowly."""

from auditkit.records.history.build import history
from auditkit.records.history.find import Found, Search, of_model, search

__all__ = ["Found", "Search", "history", "of_model", "search"]
