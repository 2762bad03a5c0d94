"""The statistics of the verdicts: arrays in, dataclasses out, no state, no files, no randomness without a seed.

Import from the modules (``from auditkit.stats.equivalence import equivalence``). They import scipy, so they are never
imported while audits are collected. docs/statistics.md says which function answers which question.
"""
