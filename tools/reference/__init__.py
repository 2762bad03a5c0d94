"""The reference model from nothing: images, questions, tokenizer, training, and the figures of its card.

What loads the result is `auditkit.models.reference`, which ships; this does not. `docs/reference-model.md` is the card.
"""
