"""`auditkit doctor`: what is there for an audit of a model and what is missing, before anything is asked."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from auditkit.errors import AuditkitError
from auditkit.models.base import DEFAULTS, ModelOptions
from auditkit.models.doctor import checkpoint, machine
from auditkit.models.doctor.findings import Finding, as_text
from auditkit.models.imported import is_import_path
from auditkit.models.on_disk import backend_of
from auditkit.models.registry import Entry, load_registry
from auditkit.models.resolve import address_of, download_line, folder_of, resolve_model, served_name

__all__ = ["Finding", "as_text", "examine"]


def examine(name: str, options: ModelOptions = DEFAULTS) -> tuple[str, list[Finding]]:
    """Look at everything that an audit of a model needs; nothing is downloaded and no model is loaded.

    A server is asked one question of one token, and a module of the user's is imported.

    Parameters
    ----------
    name : str
        What would be given as --model.
    options : ModelOptions
        ``endpoint`` and ``registry`` matter here.

    Returns
    -------
    title : str
        What the name stands for.
    findings : list of Finding
        The audit can run when none is ``missing``.

    Raises
    ------
    AuditkitError
        When the name stands for nothing, or the registry file is not valid.
    """
    entry = load_registry(options.registry).get(name)
    address = address_of(entry, options)
    if address is not None:
        return f"{name}: {served_name(name, entry)} at {address}", _server(address, name, entry)
    if entry is not None and entry.unsupported:
        return f"{name}: {entry.repository}", [Finding("missing", "support", entry.unsupported, entry.instead)]
    if entry is not None and entry.repository is not None:
        return f"{name}: {entry.repository}, {entry.backend}, {entry.dtype}", _repository(entry)
    if entry is not None:
        return f"{name}: {entry.description or entry.folder}", _folder(name, entry)
    if Path(name).is_dir():
        return f"{name}: a checkpoint folder", _folder(name, None)
    if is_import_path(name):
        return f"{name}: to be imported", [_imported(name, options)]
    resolve_model(name, options)  # says what is wrong with the name
    return name, []


def _repository(entry: Entry) -> list[Finding]:
    needed = machine.packages("local")
    if find_spec("huggingface_hub") is None:
        return [needed, Finding("note", "weights", "not looked for: huggingface_hub comes with the packages above")]
    folder, findings = checkpoint.in_cache(entry)
    parameters = None
    if folder is not None:
        parameters, inside = checkpoint.in_folder(folder, entry.backend, download_line(entry))
        findings += inside
    if parameters is None:  # something has to be downloaded
        room = machine.disk(entry)
        findings += [*(machine.access(entry) if entry.gated else []), *([room] if room else [])]
        parameters = round(entry.parameters * 1e9) if entry.parameters else None
    return [needed, *findings, *_memory(parameters, entry)]


def _folder(name: str, entry: Entry | None) -> list[Finding]:
    needed = machine.packages("local")
    try:
        folder = Path(name) if entry is None else folder_of(entry)
        backend = backend_of(folder, name)
    except AuditkitError as error:
        return [needed, Finding("missing", "folder", error.problem, error.remedy)]
    parameters, findings = checkpoint.in_folder(folder, backend, "Copy it from where the checkpoint was made.")
    return [needed, *findings, *_memory(parameters, entry)]


def _memory(parameters: int | None, entry: Entry | None) -> list[Finding]:
    if parameters is None:
        return []
    spread = entry is not None and entry.device_map is not None
    return machine.memory(parameters, ("float32" if entry is None else entry.dtype) or "float32", spread)


def _imported(name: str, options: ModelOptions) -> Finding:
    try:
        model = resolve_model(name, options)
    except AuditkitError as error:
        return Finding("missing", "import", error.problem, error.remedy)
    says = f"it has generate(requests); revision {getattr(model, 'revision', '') or 'not given'}"
    return Finding("ok", "import", says)


def _server(address: str, name: str, entry: Entry | None) -> list[Finding]:
    needed = machine.packages("endpoint")
    if needed.state == "missing":
        return [needed]
    from auditkit.models.endpoint import probe

    variable: str = Entry.model_fields["key_variable"].default if entry is None else entry.key_variable
    if os.environ.get(variable):
        key = Finding("ok", "key", f"the environment variable {variable} is set")
    else:
        key = Finding("note", "key", f"{variable} is not set; many servers need no key", f"export {variable}=...")
    answers, found, remedy = probe(address, served_name(name, entry), variable)
    return [needed, key, Finding("ok" if answers else "missing", "server", found, remedy)]
