"""From the name on the command line to a model."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.lookup import near
from auditkit.masked import masked_url
from auditkit.models.adapter import Adapter, adapter_in, is_adapter
from auditkit.models.base import DEFAULTS, Model, ModelOptions
from auditkit.models.imported import imported, is_import_path
from auditkit.models.on_disk import backend_of, cached_commits, own_dtype, serve_gguf, snapshot, weights
from auditkit.models.registry import OTHER, OWN_FILE, Entry, load_registry
from auditkit.version import install_line


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
    path = None if entry is not None else folder_named(name)
    if entry is not None or path is not None:
        return _checkpoint(name, find(name, path, entry, options), options)
    if is_import_path(name):
        return imported(name, options)
    raise unknown(name, known)


def folder_named(name: str) -> Path | None:
    """Return the folder that a name is, with the home directory put in for ``~``; None for any other name."""
    path = Path(name).expanduser()
    return path if path.is_dir() else None


def unknown(name: str, known: Mapping[str, Entry]) -> AuditkitError:
    """Return what to say of a name that stands for nothing, with what to type."""
    if "://" in name:
        return AuditkitError(
            f"--model={masked_url(name)} is an address, and no name.",
            "Give it as --audit-endpoint=URL, with --model=NAME.",
        )
    path = Path(name).expanduser()
    if path.suffix == ".gguf":
        return AuditkitError(f"--model={name} is a file for llama.cpp, which is not read here.", serve_gguf(path))
    if path.is_file():
        return AuditkitError(
            f"--model={name} is a file.", f"Give the folder that it is in: --model={path.parent or Path()}"
        )
    if name.startswith((".", "~", os.sep)):
        return AuditkitError(f"--model={name}: there is no such folder.", "Check the path.")
    if re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        same = [entry.name for entry in known.values() if (entry.repository or "").lower() == name.lower()]
        if same:
            return AuditkitError(f"--model={name} is known by another name.", f"Give --model={same[0]}")
        title, nearest = name.split("/")[1], near(name, known, most=3)
        return AuditkitError(
            f"--model={name} is neither a folder nor in the registry, and nothing is downloaded. {nearest}".rstrip(),
            f"If it is a repository of the hub: hf download {name}\nand write into {OWN_FILE}:\n"
            f'["{title}"]\nbackend = "image-text-to-text"\nrepository = "{name}"\nthen give --model={title}; '
            f"if a server has it: --model={name} --audit-endpoint=URL",
        )
    return AuditkitError(
        f"--model={name} is unknown: it is not a name in the registry, a folder or an import path "
        f"(package.module:attribute). {near(name, known, most=3)}".rstrip(),
        "`auditkit models` lists the names; use --model=./folder for a checkpoint of your own.",
    )


@dataclass(frozen=True, slots=True)
class Found:
    """A checkpoint on this machine.

    Attributes
    ----------
    folder : Path
        Config, weights and processor; of the base, where there is an adapter.
    entry : Entry or None
        What the registry says of the folder.
    adapter : Adapter or None
        What is put on it.
    base : str
        What the adapter is put on, in the registry's words; empty without one.
    dtype : str
        In which the weights are loaded: the option's, the registry's, else the checkpoint's own.
    """

    folder: Path
    entry: Entry | None
    adapter: Adapter | None
    base: str
    dtype: str


def find(name: str, path: Path | None, entry: Entry | None, options: ModelOptions) -> Found:
    """Find a checkpoint's folder, or an adapter's and its base's.

    Parameters
    ----------
    name : str
        What was given as --model.
    path : pathlib.Path or None
        The folder that it is; None for an entry of the registry.
    entry : Entry or None
        The entry that it is.
    options : ModelOptions
        ``base``, ``dtype`` and ``registry`` matter here.

    Raises
    ------
    AuditkitError
        When one of them is not here, or does not tell what is meant; with the line to type.
    """
    folder = path or folder_of(entry)  # type: ignore[arg-type]  # one of them is there
    adapter, base = None, ""
    if entry is not None and entry.adapter is not None:
        if not Path(entry.adapter).is_dir():
            raise AuditkitError(f"--model={name}: the registry names the adapter {entry.adapter}, which is not there.")
        _no_base(name, options, "has its base in the registry")
        adapter, base = adapter_in(Path(entry.adapter), name), entry.repository or folder.name
    elif is_adapter(folder):
        adapter = adapter_in(folder, name)
        folder, entry, base = _base(name, adapter, options)
    else:
        _no_base(name, options, "is no adapter")
    if adapter is not None and is_adapter(folder):
        raise AuditkitError(f"--model={name}: its base {folder} is, or has, an adapter itself.", "Name another base.")
    dtype = options.dtype or (entry.dtype if entry is not None else None) or own_dtype(folder)
    return Found(folder, entry, adapter, base, dtype)


def _no_base(name: str, options: ModelOptions, why: str) -> None:
    if options.base is not None:
        raise AuditkitError(f"--audit-base={options.base}: --model={name} {why}.", "Leave --audit-base out.")


def _called(base: str) -> str:
    folder = folder_named(base)
    return base if folder is None else folder.resolve().name


def _base(name: str, adapter: Adapter, options: ModelOptions) -> tuple[Path, Entry | None, str]:
    """Return the folder, the entry and the name of what an adapter is put on."""
    known, wanted = load_registry(options.registry), options.base or adapter.base
    if wanted in known:
        return folder_of(known[wanted]), known[wanted], wanted
    folder = folder_named(wanted) if wanted else None
    if folder is not None:
        return folder, None, _called(wanted)
    pinned = adapter.revision if adapter.revision and re.fullmatch("[0-9a-f]{40}", adapter.revision) else None
    for entry in known.values():
        if entry.repository == wanted and not entry.adapter:
            if pinned is not None:  # what it was trained on goes before what is pinned here
                entry = entry.model_copy(update={"revision": pinned})
            return folder_of(entry), entry, entry.name
    if options.base is None and re.fullmatch(r"[\w.-]+/[\w.-]+", wanted):
        found = snapshot(wanted, pinned)
        if found is not None:
            return found, None, wanted
        raise AuditkitError(
            f"--model={name}: the base of the adapter, {wanted}, is not in the local Hugging Face cache.",
            f"Get it once with: hf download {wanted}{f' --revision {pinned}' if pinned else ''}\n"
            "or name it where it is: --audit-base=NAME (a registry name or a folder)",
        )
    told = f"--audit-base={wanted}" if options.base else f"the adapter names the base {wanted!r}, which"
    nearest = near(wanted, known, most=3)
    raise AuditkitError(
        f"--model={name}: {told} is neither a name of the registry nor a folder here. {nearest}".rstrip(),
        "Name the base that it was trained on: --audit-base=NAME (a registry name or a folder).",
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
            f"Install with: {install_line('local')}",
        )


def _checkpoint(name: str, found: Found, options: ModelOptions) -> Model:
    """Return the back end for a checkpoint; a bare folder tells by itself which one it needs."""
    path, entry, adapter = found.folder, found.entry, found.adapter
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
    called = _title(name, found)
    revision = path.name if entry is not None and entry.repository and adapter is None else ""
    family = _family(entry)
    if backend == "dual-encoder":
        from auditkit.models.dual_encoder import DualEncoder

        if adapter is not None:
            raise AuditkitError(
                f"--model={name}: adapters of dual encoders are not read.",
                "Merge it: PeftModel.from_pretrained(model, folder).merge_and_unload().save_pretrained(merged), and "
                "copy the processor's files beside it.",
            )
        unread = () if entry is None else entry.unread
        return DualEncoder(
            path, name=called, options=options, dtype=found.dtype, revision=revision, family=family, unread=unread
        )
    from auditkit.models.local import LocalModel

    return LocalModel(
        path,
        name=called,
        options=options,
        dtype=found.dtype,
        device_map=None if entry is None else entry.device_map,
        revision=revision,
        family=family,
        processor_settings={} if entry is None else entry.processor,
        adapter=adapter,
        base=found.base,
        unread=() if entry is None else entry.unread,
        template={} if entry is None else entry.template,
        max_new_tokens=None if entry is None else entry.max_new_tokens,
    )


def _title(name: str, found: Found) -> str:
    """Return the name in reports: the registry's, else the folder's."""
    if folder_named(name) is None or (found.entry is not None and found.entry.name == name):
        return name
    return (found.adapter.folder if found.adapter else found.folder).resolve().name


def _served(address: str, name: str, entry: Entry | None, options: ModelOptions) -> Model:
    from auditkit.models.endpoint import EndpointModel

    served = served_name(name, entry)
    return EndpointModel(address, served, name=name, options=options, family=_family(entry), **how_served(entry))


def how_served(entry: Entry | None) -> dict[str, Any]:
    """Return what the registry says of how a server is to be asked, as `EndpointModel` takes it."""
    if entry is None:
        return {}
    thinking = {"template": entry.template, "max_new_tokens": entry.max_new_tokens}
    if entry.backend != "openai":  # a checkpoint's entry, served elsewhere
        return thinking
    same = ("key_variable", "key_header", "headers", "query", "extra", "omit", "aliases")
    return {**thinking, "revision": entry.version, **{key: getattr(entry, key) for key in same}}


def _family(entry: Entry | None) -> str:
    """Return the architecture that the registry names; empty where it does not know."""
    return "" if entry is None or entry.family == OTHER else entry.family
