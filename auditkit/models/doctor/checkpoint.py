"""What is there of a checkpoint: weights, commit, processor, chat template."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from auditkit.errors import AuditkitError
from auditkit.models.adapter import CONFIG, WEIGHTS, Adapter
from auditkit.models.doctor.findings import Finding, gigabytes
from auditkit.models.doctor.template import chat_findings, ends_finding
from auditkit.models.fingerprint import installed
from auditkit.models.on_disk import (
    INDEX,
    PROCESSORS,
    SINGLE,
    TOKENIZERS,
    cache_folder,
    cached_commits,
    json_object,
    quantisation,
    safetensors_header,
    size_of,
    snapshot,
    unfinished,
    weights,
)
from auditkit.models.registry import Entry
from auditkit.models.resolve import download_line, pin_advice


def in_cache(entry: Entry) -> tuple[Path | None, list[Finding]]:
    """Look for a repository in the hub's local cache.

    Returns
    -------
    folder : Path or None
        The snapshot, where there is one with a config.json.
    findings : list of Finding
        About the download and the commit; what is in the folder is for `in_folder`.
    """
    repository = entry.repository or ""
    folder, commits = snapshot(repository, entry.revision), cached_commits(repository)
    others = [commit for commit in commits if commit != entry.revision]
    findings = []
    if folder is None:
        says = f"{repository} is not in the cache {cache_folder()}"
        if entry.revision in commits:
            says = f"only a part of {repository} is in the cache {cache_folder()}"
        elif others:
            wanted = "main" if entry.revision is None else entry.revision
            says = f"the cache holds {repository} at {', '.join(others)}, not at {wanted}"
        findings.append(Finding("missing", "weights", says, download_line(entry)))
    begun = unfinished(repository)
    if begun:
        findings.append(Finding("note", "download", f"begun and not finished: {gigabytes(begun)} of a file are there"))
    if entry.revision is None:
        says = "none is pinned: the one that the cache calls main is used, and named in the evidence"
        findings.append(Finding("note", "commit", says, pin_advice(entry.name, folder.name) if folder else ""))
    elif folder is not None:
        findings.append(Finding("ok", "commit", f"{entry.revision}, as pinned"))
    elif others:
        findings.append(Finding("note", "commit", f"pinned is {entry.revision}", pin_advice(entry.name, others[-1])))
    return folder, findings


@dataclass(frozen=True, slots=True)
class Looked:
    """What is known of a folder's weights once they were looked at.

    Attributes
    ----------
    parameters : int or None
        Number of weights; None when they are not all there.
    size : int or None
        Bytes that they take in memory whatever the dtype, where they are quantised; else None.
    """

    parameters: int | None = None
    size: int | None = None


def in_folder(
    folder: Path, backend: str, remedy: str, entry: Entry | None, words: Path
) -> tuple[Looked, list[Finding]]:
    """Look into a checkpoint folder.

    Parameters
    ----------
    folder : pathlib.Path
        The checkpoint.
    backend : str
        What is needed beside the weights: a model that answers needs a chat template, a dual encoder does not.
    remedy : str
        How to get files that are missing.
    entry : Entry or None
        What the registry says of it.
    words : pathlib.Path
        Where its processor is; mostly the same folder.

    Returns
    -------
    looked : Looked
    findings : list of Finding
        About weights, processor, chat template and ends.
    """
    parameters, found = _weights(folder, remedy)
    findings = [found]
    has = weights(folder)
    if has.others and has.files:
        said = f"{', '.join(has.others)}: not read, and said in the record"
        findings.append(Finding("note", "unread", said, "Remove what is no part of the model."))
    kind = quantisation(folder)
    if kind is not None:
        findings.append(_quantised(*kind))
    findings.append(_processor(words, remedy))
    if backend != "dual-encoder":
        arguments = {} if entry is None else entry.template
        findings += chat_findings(words, arguments, None if entry is None else entry.max_new_tokens, remedy)
        findings.append(ends_finding(folder, words, arguments))
    size = sum(file.stat().st_size for file in has.files) if kind is not None and parameters is not None else None
    return Looked(parameters, size), findings


def adapter_findings(adapter: Adapter, base: str) -> list[Finding]:
    """Say what an adapter is and what it is put on."""
    config = json_object(adapter.folder / CONFIG)
    rank = f", rank {config['r']}" if config.get("r") else ""
    try:
        parameters, size = size_of((adapter.folder / WEIGHTS,))
    except AuditkitError as error:
        return [Finding("missing", "adapter", str(error), "Copy it again.")]
    says = f"{adapter.kind}{rank}, {parameters / 1e6:.1f} million parameters, {gigabytes(size)}; on {base}"
    return [Finding("ok", "adapter", says)]


def _quantised(method: str, package: str) -> Finding:
    if not package:
        return Finding("note", "quantised", f"{method}: not known here which package reads it; transformers says")
    has = installed(package)
    if has == "missing":
        return Finding("missing", "quantised", f"{method}, which {package} reads", f"pip install {package}")
    return Finding("ok", "quantised", f"{method}, read by {package} {has}")


def _processor(folder: Path, remedy: str) -> Finding:
    lacking = []
    if not any((folder / name).is_file() for name in TOKENIZERS):
        lacking.append(f"the tokenizer ({' or '.join(TOKENIZERS)})")
    if not any((folder / name).is_file() for name in PROCESSORS):
        lacking.append(f"the image processor ({' or '.join(PROCESSORS)})")
    damaged = [name for name in (*TOKENIZERS, *PROCESSORS) if _is_damaged(folder / name)]
    if damaged:
        return Finding("missing", "processor", f"damaged, no JSON: {', '.join(damaged)}", remedy)
    if lacking:
        return Finding("missing", "processor", f"not there: {', '.join(lacking)}", remedy)
    return Finding("ok", "processor", "image processor and tokenizer are there (without torchvision)")


def _weights(folder: Path, remedy: str) -> tuple[int | None, Finding]:
    has = weights(folder)
    if has.missing:
        total = len(has.files) + len(has.missing)
        says = f"{len(has.missing)} of {total} files are not there: {', '.join(has.missing[:3])}"
        return None, Finding("missing", "weights", says + (", ..." if len(has.missing) > 3 else ""), remedy)
    if not has.files:
        if has.others:
            says = f"only {', '.join(has.others[:3])}: formats that can run code when they are read, so they never are"
            turn = (
                "model.save_pretrained(folder) writes safetensors; or choose a commit of the repository that has them"
            )
            return None, Finding("missing", "weights", says, turn)
        return None, Finding("missing", "weights", f"no {SINGLE} in {folder}", remedy)
    if has.ambiguous:
        says = f"two models: {SINGLE}, and the files that {INDEX} names"
        return None, Finding("missing", "weights", says, "Remove the one that is not meant.")
    if find_spec("safetensors") is None:
        return None, Finding("note", "weights", f"{len(has.files)} files; not looked into without safetensors")
    try:
        parameters, size = size_of(has.files)
    except AuditkitError as error:
        return None, Finding("missing", "weights", str(error), remedy)
    unlisted = _not_in_shards(folder)
    if unlisted:
        says = f"the index names {len(unlisted)} weights that are not in their files ({', '.join(unlisted[:2])})"
        return None, Finding("missing", "weights", says, remedy)
    files = "1 file" if len(has.files) == 1 else f"{len(has.files)} files"
    many = f"{parameters / 1e9:.2f} billion" if parameters >= 1e7 else f"{parameters / 1e6:.1f} million"
    return parameters, Finding("ok", "weights", f"{files}, {gigabytes(size)}, {many} parameters")


def _not_in_shards(folder: Path) -> list[str]:
    """Return the weights that the index places in a file which does not have them."""
    named = json_object(folder / INDEX).get("weight_map", {})
    headers = {file: safetensors_header(folder / file) for file in set(map(str, named.values()))}
    return sorted(weight for weight, file in named.items() if weight not in headers[str(file)])


def _is_damaged(file: Path) -> bool:
    return file.suffix == ".json" and file.is_file() and not json_object(file)
