"""From the name on the command line to a model."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from auditkit.errors import AuditkitError
from auditkit.models.base import DEFAULTS, Model, ModelOptions
from auditkit.models.imported import imported, is_import_path
from auditkit.models.on_disk import backend_of, cached_commits, snapshot, weights
from auditkit.models.registry import OTHER, OWN_FILE, Entry, load_registry, nearest


def resolve_model(name: str, options: ModelOptions = DEFAULTS) -> Model:
    """Return the model a name stands for; nothing is downloaded.

    Parameters
    ----------
    name : str
        A name of the registry, a checkpoint folder, or ``package.module:attribute`` (an object with ``generate``, or a
        class or function without arguments that gives one). With ``options.endpoint`` any name: the model is asked
        for on that server under the name that the registry knows for it, else under this one.
    options : ModelOptions
        How it is to be loaded and asked. Of these an imported model is only told apart by ``run``.

    Raises
    ------
    AuditkitError
        When the name is unknown (nearest names are offered), a package or the weights are missing, the checkpoint is
        of a kind that cannot be asked, or the object has no ``generate``.
    """
    known = load_registry(options.registry)
    entry = known.get(name)
    address = address_of(entry, options)
    if address is not None:
        return _served(address, name, entry, options)
    if entry is not None:
        return _checkpoint(name, folder_of(entry), entry, options)
    path = Path(name)
    if path.is_dir():
        return _checkpoint(name, path, None, options)
    if is_import_path(name):
        return imported(name, options)
    raise AuditkitError(
        f"--model={name} is unknown: it is not a name in the registry, a folder or an import path "
        f"(package.module:attribute).{nearest(name, known)}",
        "`auditkit models` lists the names; use --model=./folder for a checkpoint of your own.",
    )


def address_of(entry: Entry | None, options: ModelOptions) -> str | None:
    """Return the address of the server to ask, None for a model on this machine; the option goes before the entry."""
    return options.endpoint or (entry.base_url if entry is not None else None)


def served_name(name: str, entry: Entry | None) -> str:
    """Return the name under which a server knows a model: its own, or the repository that servers name it after."""
    return name if entry is None else entry.served or entry.repository or name


def folder_of(entry: Entry) -> Path:
    """Return the folder of a registered checkpoint on this machine.

    Raises
    ------
    AuditkitError
        When it cannot be loaded at all, a package is missing, or the weights are not here; with the line to type.
    """
    if entry.unsupported:
        raise AuditkitError(f"--model={entry.name} cannot be loaded: {entry.unsupported}.", entry.instead)
    if entry.checkpoint is not None:
        from auditkit.models.reference import checkpoint

        try:
            return checkpoint(entry.checkpoint)
        except FileNotFoundError as error:
            raise AuditkitError(
                f"--model={entry.name}: {error}.", "Install auditkit again; its weights are missing."
            ) from None
    if entry.folder is not None:
        if not Path(entry.folder).is_dir():
            raise AuditkitError(
                f"--model={entry.name}: the registry names the folder {entry.folder}, which is not there."
            )
        return Path(entry.folder)
    _need_packages(entry.name)
    repository = entry.repository or ""  # Entry holds that there is one
    found = snapshot(repository, entry.revision)
    if found is None:
        others = [commit for commit in cached_commits(repository) if commit != entry.revision]
        wanted = f" at the commit {entry.revision}" if entry.revision else ""
        raise AuditkitError(
            f"--model={entry.name}: the weights of {repository} are not in the local Hugging Face cache{wanted}"
            + (f", which holds {', '.join(others)}." if others else "."),
            f"Get them once with: {download_line(entry)}\n"
            + (pin_advice(entry.name, others[-1]) if others else f"`auditkit doctor --model {entry.name}` says more."),
        )
    return found


def download_line(entry: Entry) -> str:
    """Return the line that fetches an entry's repository into the local cache."""
    return f"hf download {entry.repository}" + (f" --revision {entry.revision}" if entry.revision else "")


def pin_advice(name: str, commit: str) -> str:
    """Return the lines with which a user pins a commit in a registry file of their own."""
    title = name if name.replace("-", "").replace("_", "").isalnum() else f'"{name}"'
    return f'To use the commit {commit}, write into {OWN_FILE}:\n[{title}]\nrevision = "{commit}"'


def _need_packages(name: str) -> None:
    missing = [package for package in ("torch", "transformers", "safetensors") if find_spec(package) is None]
    if missing:
        raise AuditkitError(
            f"--model={name} needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed.",
            'Install with: pip install "auditkit[local]"',
        )


def _checkpoint(name: str, path: Path, entry: Entry | None, options: ModelOptions) -> Model:
    """Return the back end for a checkpoint folder; a bare folder tells by itself which one it needs."""
    backend = backend_of(path, name) if entry is None or entry.folder else entry.backend
    if entry is not None and entry.folder and entry.backend != backend:
        raise AuditkitError(
            f'--model={name}: its entry says backend = "{entry.backend}", but the checkpoint in {path} is of the kind '
            f"{backend}.",
            f'Write backend = "{backend}", or name another folder.',
        )
    _need_packages(name)
    missing = weights(path).missing
    if missing:
        raise AuditkitError(
            f"--model={name}: {len(missing)} of the weight files that the index names are not there "
            f"({', '.join(missing[:2])}{', ...' if len(missing) > 2 else ''}).",
            f"Finish the download: {download_line(entry)}" if entry and entry.repository else "Copy the whole folder.",
        )
    called = name if entry is not None else path.resolve().name
    dtype = "float32" if entry is None else entry.dtype
    revision = path.name if entry is not None and entry.repository else ""
    family = _family(entry)
    if backend == "dual-encoder":
        from auditkit.models.dual_encoder import DualEncoder

        return DualEncoder(path, name=called, options=options, dtype=dtype, revision=revision, family=family)
    from auditkit.models.local import LocalModel

    return LocalModel(
        path,
        name=called,
        options=options,
        dtype=dtype,
        device_map=None if entry is None else entry.device_map,
        revision=revision,
        family=family,
        processor_settings={} if entry is None else entry.processor,
    )


def _served(address: str, name: str, entry: Entry | None, options: ModelOptions) -> Model:
    from auditkit.models.endpoint import EndpointModel

    served = served_name(name, entry)
    if entry is None or entry.backend != "openai":
        return EndpointModel(address, served, name=name, options=options, family=_family(entry))
    return EndpointModel(
        address,
        served,
        name=name,
        options=options,
        key_variable=entry.key_variable,
        revision=entry.version,
        extra=entry.extra,
        aliases=entry.aliases,
        family=_family(entry),
    )


def _family(entry: Entry | None) -> str:
    """Return the architecture that the registry names; empty where it does not know."""
    return "" if entry is None or entry.family == OTHER else entry.family
