"""The hooks: a pytest plugin, loaded by ``-p ward_kit.plugin`` or by an entry point ``pytest11``."""

import auditkit

from . import items, models, scorers


def pytest_auditkit_perturbations():
    """Add a grid in three strengths, and a signature."""
    return {
        "grid": auditkit.Entry(
            name="grid",
            label="Anti-scatter grid",
            stage="display",
            tier="ward",
            function="ward_kit.laws:grid",
            levels=({"period": 8, "shade": 0.0}, {"period": 4, "shade": 0.0}, {"period": 2, "shade": 0.0}),
            law="Blackens every n-th line.",
            rationale="A grid that is out of focus.",
            source="ward_kit",
            expects="notice",
        ),
        "signed": auditkit.Entry(
            name="signed",
            label="Signed by the ward",
            stage="words",
            tier="ward",
            function="ward_kit.laws:signed",
            levels=({"by": "the ward"},),
            law="Says who asks.",
            rationale="Requests are signed.",
            source="ward_kit",
            expects="ignore",
        ),
    }


def pytest_auditkit_scorers():
    """Add a way to read stars."""
    return {"stars": scorers.Stars}


def pytest_auditkit_items(source, salt, max_side):
    """Take ``ward:60`` as a source."""
    return items.items(source, salt, max_side)


def pytest_auditkit_model(name):
    """Take three names as models."""
    return models.MODELS.get(name)
