"""Finished runs: held against an earlier one, compared with other models, checked against what they claim."""
