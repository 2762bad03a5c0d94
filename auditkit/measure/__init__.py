"""From answers to arrays: columns of values, per-item effects, and the record of all answers and back."""
