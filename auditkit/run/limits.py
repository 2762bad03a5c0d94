"""What a run cannot tell, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.evidence import Audit, Data
from auditkit.words import modality_label, not_asked_sentence, people_sentences, without_picture_sentence

FEW = 24
"""Patients below which no audit of means can pass."""
ALWAYS = (
    "The verdict is about this model, these prompts, these images and these corruptions; it supports a decision, "
    "it does not establish safety.",
    "Changes of scores reported in the literature are 1 to 9 points; telling them from zero takes hundreds of patients "
    "per modality. Margins smaller than the one printed beside an audit could not have been passed with these data.",
    "Corruptions are simulated with parameters made for photographs (ImageNet-C); equal severities of different "
    "corruptions are not equally strong. The measured similarity (SSIM) stands beside every picture.",
)


def limits(data: Data, audits: Sequence[Audit]) -> list[str]:
    """Return what holds of every run, and what follows from these data and answers.

    Parameters
    ----------
    data : Data
        What the model was shown.
    audits : sequence of Audit
        The judged audits.
    """
    said = list(ALWAYS)
    if data.synthetic_share:
        said.append(
            f"{100 * data.synthetic_share:.0f} % of the images are synthetic phantoms: results on them say nothing "
            "about patients."
        )
    if without := without_picture_sentence(data.n_without_picture, data.n_images):
        said.append(without)
    said += people_sentences(data.units)
    said += [not_asked_sentence(entry, data.n_images) for entry in data.not_asked]
    few = [modality_label(counts.modality) for counts in data.modalities if counts.n_clusters < FEW]
    if few:
        said.append(f"Too few patients for any pass by rule: {', '.join(few)}.")
    if any(audit.outcomes.total > audit.outcomes.scored + audit.outcomes.error for audit in audits):
        said.append(
            "Some answers gave no score. They are counted as outcomes; a pass had to survive putting the missing "
            "scores to the bad side."
        )
    return said
