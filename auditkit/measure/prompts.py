"""The prompts of a run as they stand in its record."""

from __future__ import annotations

import json

from auditkit.evidence import PromptInfo
from auditkit.protocol.catalogue import Catalogue
from auditkit.vocabulary import Question


def prompt_info(catalogue: Catalogue, task: str, wording: str) -> PromptInfo:
    """Return one wording as it is put about an item without perturbations.

    Raises
    ------
    AuditkitError
        If there is no such task or wording.
    """
    prompt, spec = catalogue.prompt(Question(task, wording)), catalogue.task(task).scorer_spec
    scorer = spec if isinstance(spec, str) else json.dumps(spec, sort_keys=True, ensure_ascii=False)
    return PromptInfo(id=f"{task}.{wording}", scorer=scorer, system=prompt.system, text=prompt.user)
