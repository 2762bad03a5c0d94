"""A package of somebody else's that adds one of each to auditkit: what docs/writing-audits.md says can be added."""
