"""``auditkit models``: what is known by name."""

from __future__ import annotations

import argparse
from typing import Any


def registry_option() -> argparse.ArgumentParser:
    """Return a parent parser with the option that names a registry file."""
    registry = argparse.ArgumentParser(add_help=False)
    registry.add_argument("--audit-registry", metavar="FILE", help="models of your own (auditkit-models.toml if there)")
    return registry


def add(commands: Any) -> None:
    models = commands.add_parser("models", parents=[registry_option()], help="list the models known by name")
    models.add_argument("--json", action="store_true", help="all that is known of them, for programs")
    models.set_defaults(do=_models)


def _models(options: argparse.Namespace) -> int:
    from auditkit.models.overview import as_json, as_table
    from auditkit.models.registry import load_registry

    entries = load_registry(options.audit_registry).values()
    print(as_json(entries) if options.json else as_table(entries))
    return 0
