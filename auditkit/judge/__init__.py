"""From measurements to verdicts: thin rules over `auditkit.stats`, each with its sentence."""
