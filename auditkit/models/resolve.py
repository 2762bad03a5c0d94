"""From the name on the command line to a model."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import inspect
import os
import tomllib
from collections.abc import Sequence
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from auditkit.errors import AuditkitError
from auditkit.models.base import Model, ModelOptions, Request, Response


def registry() -> dict[str, dict[str, str]]:
    """Return the known models by name."""
    text = resources.files("auditkit.models").joinpath("registry.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text))


def resolve_model(name: str, batch_size: int) -> Model:
    """Return the model a name stands for.

    Parameters
    ----------
    name : str
        A name of the registry, a checkpoint folder, or ``package.module:attribute`` (an object with ``generate``, or a
        class or function without arguments that gives one).
    batch_size : int
        Requests the engine will send at once; part of the fingerprint, because it can change an answer.

    Raises
    ------
    AuditkitError
        When the name is unknown (nearest names are offered), a package or the weights are missing, or the object has
        no ``generate``.
    """
    known = registry()
    if name in known:
        return _local(_known_checkpoint(name, known[name]), name, batch_size)
    path = Path(name)
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise AuditkitError(
                f"--model={name} is a folder without config.json, so it is no checkpoint.",
                "Give the folder that holds config.json, the weights (*.safetensors) and the processor's files.",
            )
        return _local(path, path.resolve().name, batch_size)
    if ":" in name and os.sep not in name.split(":")[0]:
        return _imported(name)
    near = difflib.get_close_matches(name, known, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise AuditkitError(
        f"--model={name} is unknown: it is no name of the registry ({', '.join(known)}), no folder, and no import "
        f"path (package.module:attribute).{hint}",
        "`auditkit models` lists the names; use --model=./folder for a checkpoint of your own.",
    )


def _known_checkpoint(name: str, entry: dict[str, str]) -> Path:
    if "checkpoint" in entry:
        from auditkit.models.reference import CheckpointName, checkpoint

        try:
            return checkpoint(cast(CheckpointName, entry["checkpoint"]))
        except FileNotFoundError as error:
            raise AuditkitError(
                f"--model={name}: {error}.", "Install auditkit again; its weights are missing."
            ) from None
    _need_local(name)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    repository = entry["repository"]
    try:
        return Path(snapshot_download(repository, local_files_only=True))
    except LocalEntryNotFoundError:
        raise AuditkitError(
            f"--model={name}: the weights of {repository} are not in the local Hugging Face cache.",
            f"Get them once with: hf download {repository}",
        ) from None


def _need_local(name: str) -> None:
    missing = [package for package in ("torch", "transformers", "safetensors") if find_spec(package) is None]
    if missing:
        raise AuditkitError(
            f"--model={name} needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed.",
            'Install with: pip install "auditkit[local]"',
        )


def _local(path: Path, name: str, batch_size: int) -> Model:
    _need_local(name)
    from auditkit.models.local import LocalModel

    return LocalModel(path, name=name, options=ModelOptions(batch_size=batch_size))


def _imported(name: str) -> Model:
    module_name, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # a script without a guard may leave
        raise AuditkitError(
            f"--model={name}: importing {module_name} failed: {type(error).__name__}: {error}.",
            "Check the path (package.module:attribute) and that it can be imported from here (PYTHONPATH).",
        ) from None
    try:
        found: Any = module
        for part in attribute.split("."):
            found = getattr(found, part)
    except AttributeError:
        public = [k for k in vars(module) if not k.startswith("_")]
        near = difflib.get_close_matches(attribute, public, n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise AuditkitError(f"--model={name}: {module_name} has no attribute {attribute!r}.{hint}") from None
    if inspect.isclass(found) or (callable(found) and not hasattr(found, "generate")):
        try:
            found = found()
        except (Exception, SystemExit) as error:
            raise AuditkitError(
                f"--model={name}: calling {attribute}() failed: {type(error).__name__}: {error}.",
                "Name an object with generate(requests), or something that gives one when called without arguments.",
            ) from None
    if not callable(getattr(found, "generate", None)):
        raise AuditkitError(
            f"--model={name}: {type(found).__name__} has no method generate(requests).",
            "See docs/models.md: generate takes a list of Request and returns a list of Response.",
        )
    return _Named(found, name, module)


class _Named:
    """An imported object with a name, a revision and a fingerprint, whether or not it brings them itself."""

    def __init__(self, model: Model, name: str, module: Any) -> None:
        self._model = model
        self.name = str(getattr(model, "name", None) or name)
        self.revision = str(getattr(model, "revision", None) or "")
        self.fingerprint = str(getattr(model, "fingerprint", None) or _source_digest(module))
        self.backend = "import"

    def generate(self, requests: Sequence[Request]) -> Sequence[Response]:
        return self._model.generate(requests)

    def close(self) -> None:
        closing = getattr(self._model, "close", None)
        if callable(closing):
            closing()


def _source_digest(module: Any) -> str:
    """Hash the module's file, so that answers of an edited model are not taken for those of the one before."""
    path = getattr(module, "__file__", None)
    if path is None or not Path(path).is_file():
        return ""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
