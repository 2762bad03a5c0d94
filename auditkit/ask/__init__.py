"""From comparisons to answers: plan what to ask, ask it once in batches, keep every answer."""
