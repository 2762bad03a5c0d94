"""Model cards from one record: the CHAI Applied Model Card, and a section for a card on the Hugging Face Hub."""

from auditkit.report.cards.chai import chai_card
from auditkit.report.cards.huggingface import huggingface_card

__all__ = ["chai_card", "huggingface_card"]
