"""What corruptions cost of right answers has pages of its own beside those of the score."""

import pytest

from auditkit.evidence import Cell, Definition, Estimate, Evidence, PartDefinition, Point, Stratum, Term
from auditkit.report import views
from auditkit.report.figures.right import right_response
from auditkit.report.pdf.document import document
from auditkit.report.pdf.losses import losses, matrix_of
from tests.report.sample import lean, plain_audit

SHARES = {0: 0.9, 3: 0.85, 5: 0.5}


def share(value: float) -> Estimate:
    return Estimate(value=value, low=value - 0.05, high=value + 0.05, level=0.9, unit="share")


def lost(name: str, verdict: str = "FAIL", levels=(3, 5), entry: str = "jpeg", **more):
    points = [
        Point(stratum=Stratum(level=level), condition=f"{entry}-s{at}", level=at, score=share(SHARES[at]), n_images=40,
              n_clusters=30, ssim=1 - at / 10)
        for level in ("all", "ct") for at in (0, *levels)
    ]  # fmt: skip
    cells = [
        Cell(stratum=Stratum(level="ct"), level=at if len(levels) > 1 else 0, verdict=verdict, sentence="S.",
             estimate=share(SHARES[0] - SHARES[at]))
        for at in levels
    ]  # fmt: skip
    terms = [Term(task="t", value="correct", weight=-1.0, condition=[(entry, at)]) for at in levels]
    return plain_audit(
        f"loss/{name}", verdict=verdict, quantity="correct", unit="share", verb="at_most", change=True, series=points,
        parts=cells, title=name, definition=Definition(parts=[PartDefinition(terms=terms)]), **more,
    )  # fmt: skip


def of(*audits) -> Evidence:
    return lean().model_copy(update={"audits": list(audits)})


def test_the_worst_come_first_and_nothing_that_has_no_course():
    flat = lost("flat").model_copy(update={"series": []})
    found = losses(views.families(of(lost("kept", "PASS"), lost("gone"), flat)))
    assert [item.title for item in found] == ["Gone", "Kept"]


@pytest.mark.parametrize("levels", [(3, 5), (5,)])
def test_the_table_has_shares_and_below_them_what_is_lost(levels):
    [item] = losses(views.families(of(lost("gone", levels=levels))))
    table = matrix_of(item)
    assert list(table.severities) == [0, *levels]
    every, ct = table.rows
    assert [place.score for place in every.places] == [f"{100 * SHARES[s]:.0f} %" for s in (0, *levels)]
    assert [place.auroc for place in ct.places] == ["", *(f"{100 * (0.9 - SHARES[s]):.1f} lost" for s in levels)]
    assert [place.verdict for place in ct.places] == [None, *["FAIL"] * len(levels)]
    assert table.ssim[-1] == "0.50"


def test_a_gain_is_called_one():
    audit = lost("gained", "PASS")
    cells = [cell.model_copy(update={"estimate": share(-0.021)}) for cell in audit.parts]
    [item] = losses(views.families(of(audit.model_copy(update={"parts": cells}))))
    assert matrix_of(item).rows[1].places[1].auroc == "2.1 gained"


def test_pictures_are_those_of_the_perturbation():
    [item] = losses(views.families(of(lost("Pneumonia: pixelated", entry="pixelate"))))
    assert item.pictures.key == "pixelate"


def test_the_figure_says_in_words_where_it_starts_and_ends():
    chart = right_response("gone", lost("gone").series, "k")
    assert "from 90 % at clean images to 50 % at severity 5, over 1 modality." in chart.description
    assert len(chart.rows) == 6
    assert right_response("gone", [], "k") is None


def test_the_annex_lists_the_page_and_has_it_once():
    page = document(of(lost("Pneumonia: gone")), b"{}")
    assert "What corruption costs of right answers" in page
    assert page.count('id="corruption-loss-pneumonia-gone"') == 1
    assert 'href="#corruption-loss-pneumonia-gone"' in page
    assert "What corruption costs of right answers" not in document(lean(), b"{}")
