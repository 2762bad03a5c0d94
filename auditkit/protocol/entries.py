"""What a protocol's hash covers: the SHA-256 of every perturbation, wording and scorer that is used or named."""

from __future__ import annotations

from collections.abc import Iterable

from auditkit.errors import AuditkitError
from auditkit.lookup import unknown
from auditkit.protocol.catalogue import Catalogue
from auditkit.protocol.hash import digest
from auditkit.vocabulary import Question


def entries_used(catalogue: Catalogue, questions: Iterable[Question]) -> dict[str, str]:
    """Return the SHA-256 of everything that questions use, entry by entry.

    Parameters
    ----------
    catalogue : Catalogue
        Where they are looked up.
    questions : iterable of Question
        Resolved or not.

    Returns
    -------
    dict of str to str
        By ``"perturbation pixelate"``, ``"wording quality.direct"`` and ``"scorer quality"``, sorted. What decides
        an answer counts: parameters, laws and versions of perturbations, texts, scorers; not labels and reasons.
    """
    names: set[str] = set()
    for question in map(catalogue.resolve, questions):
        names |= {f"wording {question.words}", f"scorer {question.task}"}
        names |= {f"perturbation {p.name}" for p in question.condition}
    return {name: entry_digest(catalogue, name) for name in sorted(names)}


def entries_named(catalogue: Catalogue, names: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of everything that names stand for, entry by entry, as `entries_used` does.

    Parameters
    ----------
    catalogue : Catalogue
        Where they are looked up.
    names : iterable of str
        Perturbations, tiers (all perturbations of the tier), tasks (all their wordings), or wordings
        (``"quality.direct"``).

    Raises
    ------
    AuditkitError
        If a name is none of these; near ones are named.
    """
    found: set[str] = set()
    for name in names:
        found |= _named(catalogue, name)
    return {name: entry_digest(catalogue, name) for name in sorted(found)}


def _named(catalogue: Catalogue, name: str) -> set[str]:
    found = {
        f"perturbation {entry.name}" for entry in catalogue.perturbations.values() if name in (entry.name, entry.tier)
    }
    if name in catalogue.tasks:
        found |= {f"scorer {name}"} | {f"wording {name}.{wording}" for wording in catalogue.tasks[name].wordings}
    task, _, wording = name.rpartition(".")
    if task in catalogue.tasks and wording in catalogue.tasks[task].wordings:
        found |= {f"scorer {task}", f"wording {name}"}
    if not found:
        tiers = {entry.tier for entry in catalogue.perturbations.values()}
        raise unknown("perturbation, tier or task", name, [*tiers, *catalogue.tasks, *catalogue.perturbations])
    return found


def entry_digest(catalogue: Catalogue, name: str) -> str:
    """Return the SHA-256 (64 hex digits) of one entry.

    Parameters
    ----------
    catalogue : Catalogue
        Where it is looked up.
    name : str
        ``"perturbation "``, ``"wording "`` or ``"scorer "`` and the entry's own name.

    Raises
    ------
    AuditkitError
        If there is no such entry.
    """
    kind, _, own = name.partition(" ")
    if kind == "perturbation":
        return digest(catalogue.entry(own).acting())
    if kind == "scorer":
        task = catalogue.task(own)
        # Somebody else's scorer may say by a version that it reads differently now.
        spec = [task.scorer_spec, str(getattr(task.scorer, "version", ""))]
        further = {key: value for key, value in task.table().items() if key not in ("scorer", "wordings")}
        return digest([*spec, further] if further else spec)
    if kind == "wording":
        id, _, wording = own.rpartition(".")
        known = catalogue.task(id).wordings
        if wording not in known:
            raise unknown(f"wording of task {id!r}", wording, known)
        return digest([known[wording].text, known[wording].system, known[wording].max_new_tokens])
    raise AuditkitError(f"{name!r} is not an entry; it begins with perturbation, wording or scorer.")
