"""`auditkit doctor`: what is there for an audit of a model and what is missing, before anything is asked."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from auditkit.errors import AuditkitError
from auditkit.masked import masked_url
from auditkit.models.adapter import is_adapter, processor_folder
from auditkit.models.base import DEFAULTS, ModelOptions
from auditkit.models.doctor import checkpoint, machine
from auditkit.models.doctor.findings import Finding, as_text
from auditkit.models.imported import Named, is_import_path
from auditkit.models.on_disk import backend_of, own_dtype
from auditkit.models.registry import Entry, load_registry
from auditkit.models.resolve import (
    address_of,
    download_line,
    find,
    folder_named,
    how_served,
    resolve_model,
    served_name,
    unknown,
)

__all__ = ["Finding", "as_text", "examine"]


def examine(name: str, options: ModelOptions = DEFAULTS) -> tuple[str, list[Finding]]:
    """Look at everything that an audit of a model needs; nothing is downloaded and no model is loaded.

    A server is asked one question of one token, and a module of the user's is imported.

    Parameters
    ----------
    name : str
        What would be given as --model.
    options : ModelOptions
        ``endpoint``, ``registry``, ``base`` and ``dtype`` matter here.

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
    known = load_registry(options.registry)
    entry = known.get(name)
    address = address_of(entry, options)
    if address is not None:
        return f"{name}: {served_name(name, entry)} at {masked_url(address)}", _server(address, name, entry)
    if entry is not None and entry.unsupported:
        return f"{name}: {entry.repository}", [Finding("missing", "support", entry.unsupported, entry.instead)]
    if entry is not None and entry.repository is not None:
        dtype = options.dtype or entry.dtype or "its own dtype"
        return f"{name}: {entry.repository}, {entry.backend}, {dtype}", _repository(entry, options)
    if entry is not None:
        return f"{name}: {entry.description or entry.folder}", _folder(name, None, entry, options)
    path = folder_named(name)
    if path is not None:
        kind = "an adapter folder" if is_adapter(path) else "a checkpoint folder"
        return f"{name}: {kind}", _folder(name, path, None, options)
    if is_import_path(name):
        return f"{name}: to be imported", _imported(name, options)
    raise unknown(name, known)


def _repository(entry: Entry, options: ModelOptions) -> list[Finding]:
    needed = machine.packages("local")
    if find_spec("huggingface_hub") is None:
        return [needed, Finding("note", "weights", "not looked for: huggingface_hub comes with the packages above")]
    folder, findings = checkpoint.in_cache(entry)
    looked = checkpoint.Looked()
    if folder is not None:
        words = folder
        if entry.adapter is not None:
            try:
                found = find(entry.name, None, entry, options)
                assert found.adapter is not None  # noqa: S101 - the entry names one
                words = processor_folder(found.adapter.folder, folder, entry.name)
                findings += [_peft_there(), *checkpoint.adapter_findings(found.adapter, found.base)]
            except AuditkitError as error:
                findings.append(Finding("missing", "adapter", error.problem, error.remedy))
        looked, inside = checkpoint.in_folder(folder, entry.backend, download_line(entry), entry, words)
        findings += inside
    if looked.parameters is None:  # something has to be downloaded
        room = machine.disk(entry)
        findings += [*(machine.access(entry) if entry.gated else []), *([room] if room else [])]
        looked = checkpoint.Looked(round(entry.parameters * 1e9) if entry.parameters else None)
    dtype = options.dtype or entry.dtype or (own_dtype(folder) if folder is not None else "bfloat16")
    return [needed, *findings, *_memory(looked, entry, dtype)]


def _folder(name: str, path: Path | None, entry: Entry | None, options: ModelOptions) -> list[Finding]:
    needed = machine.packages("local")
    try:
        found = find(name, path, entry, options)
        folder, entry = found.folder, found.entry
        backend = backend_of(folder, name)
        words = folder if found.adapter is None else processor_folder(found.adapter.folder, folder, name)
    except AuditkitError as error:
        about = "adapter" if path is not None and is_adapter(path) else "folder"
        return [needed, Finding("missing", about, error.problem, error.remedy)]
    adapted = []
    if found.adapter is not None:
        adapted = [_peft_there(), *checkpoint.adapter_findings(found.adapter, f"{found.base} ({folder})")]
    looked, findings = checkpoint.in_folder(
        folder, backend, "Copy it from where the checkpoint was made.", entry, words
    )
    source = "as asked for" if options.dtype else "of the registry" if entry and entry.dtype else "the checkpoint's own"
    own = Finding("ok", "dtype", f"{found.dtype}, {source}")
    return [needed, *adapted, *findings, own, *_memory(looked, entry, found.dtype)]


def _peft_there() -> Finding:
    found = machine.packages("peft")
    return Finding(found.state, "peft", found.says, found.remedy)


def _memory(looked: checkpoint.Looked, entry: Entry | None, dtype: str) -> list[Finding]:
    if looked.parameters is None:
        return []
    spread = entry is not None and entry.device_map is not None
    return machine.memory(looked.parameters, dtype, spread, looked.size)


def _imported(name: str, options: ModelOptions) -> list[Finding]:
    try:
        model = resolve_model(name, options)
    except AuditkitError as error:
        return [Finding("missing", "import", error.problem, error.remedy)]
    says = f"it has generate(requests); revision {getattr(model, 'revision', '') or 'not given'}"
    found = [Finding("ok", "import", says)]
    if isinstance(model, Named) and not model.says_who:
        found.append(
            Finding(
                "note",
                "identity",
                "it gives no fingerprint: stored answers are not used by later runs",
                "Give it one, a hash of its weights and settings: fingerprint = ...\n"
                "or use stored answers all the same: --audit-reuse-unfingerprinted",
            )
        )
    return found


def _server(address: str, name: str, entry: Entry | None) -> list[Finding]:
    needed = machine.packages("endpoint")
    if needed.state == "missing":
        return [needed]
    from auditkit.models.endpoint import probe

    how = how_served(entry)
    variable: str = how.pop("key_variable", Entry.model_fields["key_variable"].default)
    if os.environ.get(variable):
        key = Finding("ok", "key", f"the environment variable {variable} is set")
    else:
        key = Finding("note", "key", f"{variable} is not set; many servers need no key", f"export {variable}=...")
    answers, found, remedy = probe(address, served_name(name, entry), variable, **how)
    return [needed, key, Finding("ok" if answers else "missing", "server", found, remedy)]
