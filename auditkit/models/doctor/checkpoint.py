"""What is there of a checkpoint: weights, commit, processor, chat template."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from auditkit.errors import AuditkitError
from auditkit.models.doctor.findings import Finding, gigabytes
from auditkit.models.on_disk import cache_folder, cached_commits, json_object, size_of, snapshot, unfinished, weights
from auditkit.models.registry import Entry
from auditkit.models.resolve import download_line, pin_advice

_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt")
_PROCESSORS = ("processor_config.json", "preprocessor_config.json")
_TEMPLATES = ("chat_template.jinja", "chat_template.json")


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


def in_folder(folder: Path, backend: str, remedy: str) -> tuple[int | None, list[Finding]]:
    """Look into a checkpoint folder.

    Parameters
    ----------
    folder : pathlib.Path
        The checkpoint.
    backend : str
        What is needed beside the weights: a model that answers needs a chat template, a dual encoder does not.
    remedy : str
        How to get files that are missing.

    Returns
    -------
    parameters : int or None
        Number of weights; None when they are not all there.
    findings : list of Finding
        About weights, processor and chat template.
    """
    parameters, found = _weights(folder, remedy)
    findings = [found]
    lacking = []
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        lacking.append(f"the tokenizer ({' or '.join(_TOKENIZERS)})")
    if not any((folder / name).is_file() for name in _PROCESSORS):
        lacking.append(f"the image processor ({' or '.join(_PROCESSORS)})")
    damaged = [name for name in (*_TOKENIZERS, *_PROCESSORS) if _is_damaged(folder / name)]
    if damaged:
        says = f"damaged, no JSON: {', '.join(damaged)}"
        findings.append(Finding("missing", "processor", says, remedy))
    elif lacking:
        findings.append(Finding("missing", "processor", f"not there: {', '.join(lacking)}", remedy))
    else:
        findings.append(Finding("ok", "processor", "image processor and tokenizer are there (without torchvision)"))
    if backend != "dual-encoder":
        findings.append(_template(folder, remedy))
    return parameters, findings


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
        return None, Finding("missing", "weights", f"no *.safetensors in {folder}", remedy)
    if find_spec("safetensors") is None:
        return None, Finding("note", "weights", f"{len(has.files)} files; not looked into without safetensors")
    try:
        parameters, size = size_of(has.files)
    except AuditkitError as error:
        return None, Finding("missing", "weights", str(error), remedy)
    files = "1 file" if len(has.files) == 1 else f"{len(has.files)} files"
    many = f"{parameters / 1e9:.2f} billion" if parameters >= 1e7 else f"{parameters / 1e6:.1f} million"
    return parameters, Finding("ok", "weights", f"{files}, {gigabytes(size)}, {many} parameters")


def _is_damaged(file: Path) -> bool:
    return file.suffix == ".json" and file.is_file() and not json_object(file)


def _fault_of(template: str) -> str:
    """Return why a chat template cannot be read; empty when it can."""
    import jinja2

    if "{% generation" in template or "{%- generation" in template:
        return ""  # a tag of transformers' own, which jinja2 alone does not know
    try:
        jinja2.Environment(extensions=["jinja2.ext.loopcontrols"]).parse(template)  # noqa: S701 - parsed, never run
    except jinja2.TemplateSyntaxError as error:
        return f"{error.message} (line {error.lineno})"
    return ""


def _template(folder: Path, remedy: str) -> Finding:
    written = folder / _TEMPLATES[0]
    fault = _fault_of(written.read_text(encoding="utf-8", errors="replace")) if written.is_file() else ""
    if fault:
        return Finding("missing", "chat", f"{written.name} cannot be read: {fault}", remedy)
    inside = [name for name in ("tokenizer_config.json", *_PROCESSORS) if "chat_template" in json_object(folder / name)]
    named = [name for name in _TEMPLATES if (folder / name).is_file()] + inside
    if named:
        return Finding("ok", "chat", f"chat template in {named[0]}")
    return Finding("missing", "chat", f"no chat template ({' or '.join(_TEMPLATES)})", remedy)
