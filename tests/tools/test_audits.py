"""The page about the shipped audits says what they say."""

import pytest

from auditkit.errors import AuditkitError
from auditkit.protocol.shipped import SHIPPED
from tools.audits import BEGIN, END, PAGE, replaced, shipped, table


@pytest.fixture(scope="module")
def audits():
    return shipped()


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text(encoding="utf-8")


def test_page_has_not_drifted(page, audits):
    assert page == replaced(page, audits), "run: python -m tools.audits"


def test_every_shipped_effect_is_listed_and_every_source_stated(audits):
    declared = {(family, effect.name) for family, listed in SHIPPED.items() for effect in listed()}
    assert {(audit.family, audit.name) for audit in audits} == declared
    assert len(audits) == len(declared)
    assert [audit.name for audit in audits if not audit.sources] == []
    written = table(audits)
    assert all(f"`{audit.name}`" in written and audit.question in written for audit in audits)
    assert all(audit.own_hazard in written for audit in audits)


@pytest.mark.parametrize("mark", [BEGIN, END])
def test_page_without_marks_is_refused(page, audits, mark):
    with pytest.raises(AuditkitError, match="no place for the audits"):
        replaced(page.replace(mark, ""), audits)


def test_a_bar_in_a_title_does_not_end_its_cell(audits):
    from dataclasses import replace

    assert r"| a \| b |" in table([replace(audits[0], title="a | b")])
