from __future__ import annotations

from pathlib import Path

import pytest

from auditkit.evidence import VERDICTS, Evidence
from auditkit.report.ci.findings import Place, findings, more_patients


def test_everything_that_does_not_pass_and_nothing_else(lean: Evidence) -> None:
    found = findings(lean, {})
    assert {f.audit.id for f in found} == {a.id for a in lean.deciding if a.verdict != "PASS"}
    assert all(f.blocks for f in found)
    ranks = [VERDICTS.index(f.audit.verdict) for f in found]
    assert ranks == sorted(ranks)


def test_a_family_of_many_failures_does_not_hide_the_failure_of_another(lean: Evidence) -> None:
    many = [a.model_copy(update={"verdict": "FAIL", "p_fail": 0.0}) for a in lean.audits if a.family == "metadata"]
    (one, *_) = [a for a in lean.audits if a.family == "repeatability"]
    late = one.model_copy(update={"verdict": "FAIL", "p_fail": 0.049})
    assert len(many) > 20
    found = findings(lean.model_copy(update={"audits": [*many, late]}), {})
    assert late.id in [f.audit.id for f in found[:2]]


def test_the_clearest_of_a_family_comes_first(lean: Evidence) -> None:
    own = [a for a in lean.audits if a.family == "metadata"][:3]
    given = [
        a.model_copy(update={"verdict": "FAIL", "p_fail": p}) for a, p in zip(own, (0.03, None, 1e-6), strict=True)
    ]
    found = findings(lean.model_copy(update={"audits": given}), {})
    assert [f.audit.id for f in found] == [own[2].id, own[0].id, own[1].id]


def test_only_what_was_excused_does_not_block(lean: Evidence) -> None:
    failed, *_ = (a.id for a in lean.deciding if a.verdict == "FAIL")
    undecided = {a.id for a in lean.deciding if a.verdict == "INCONCLUSIVE"}
    found = findings(lean, {}, excused={failed, *undecided})
    assert {f.audit.id for f in found if not f.blocks} == {failed, *undecided}
    assert {f.audit.verdict for f in found if f.blocks} == {"FAIL", "ERROR"}


def test_patients_needed_are_those_of_the_neediest_undecided_modality(lean: Evidence) -> None:
    audit = next(a for a in lean.audits if len(a.parts) > 3)

    def needing(*numbers: int | None) -> str:
        cells = [
            c.model_copy(update={"verdict": "INCONCLUSIVE", "required": True, "more_clusters": n})
            for c, n in zip(audit.parts, numbers, strict=False)
        ]
        settled = audit.parts[-1].model_copy(update={"verdict": "PASS", "more_clusters": 9999})
        shown = cells[0].model_copy(update={"required": False, "more_clusters": 9999})
        return more_patients(audit.model_copy(update={"parts": [*cells, settled, shown]}))

    assert needing(12, 1489) == "about 1,489"
    assert needing(12, None) == "about 12, not known for all modalities"
    assert needing(None) == "cannot be said"


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("checkout/audits/test_a.py", "audits/test_a.py"),
        ("link/audits/test_a.py", "audits/test_a.py"),
        ("o/t.py", None),
    ],
)
def test_places_are_given_from_the_checkout_also_through_a_link(tmp_path: Path, path: str, inside: str | None) -> None:
    (tmp_path / "checkout").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "checkout")
    assert Place(tmp_path / path, 3).within(tmp_path / "link") == inside
