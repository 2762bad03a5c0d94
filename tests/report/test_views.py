from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from auditkit.evidence import Audit, Case, Estimate, Evidence, Example, Outcomes, PromptInfo, RoleInfo
from auditkit.report import thumbnails, views
from auditkit.report.right_answers import shows_what
from auditkit.words import beside_sentences
from tests.report.sample import KINDS, plain_audit


def test_known_questions_come_in_their_order_and_others_after_them(lean: Evidence) -> None:
    names = [f.name for f in views.families(lean)]
    assert names[:4] == ["sensitivity", "discrimination", "metadata", "placebo"]
    assert names[-1] == "acme_tone"
    assert [f.name for f in views.families(lean.model_copy(update={"audits": lean.audits[::-1]}))] == names


def test_counts_sum_to_the_audits(lean: Evidence) -> None:
    families = views.families(lean)
    assert sum(sum(f.counts.values()) for f in families) == len(lean.deciding)
    for family in families:
        assert family.telling.verdict == family.verdict


def test_the_telling_audit_is_the_worst_with_the_clearest_evidence(lean: Evidence) -> None:
    audits = [plain_audit("x/a"), plain_audit("x/b", "FAIL", p_fail=0.04), plain_audit("x/c", "FAIL", p_fail=0.001)]
    (family,) = views.families(lean.model_copy(update={"audits": audits}))
    assert (family.verdict, family.telling.id) == ("FAIL", "x/c")


def test_largest_effects_are_unwanted_changes_in_points(lean: Evidence) -> None:
    def moved(id_: str, value: float, kind: str, unit: str = "points") -> Audit:
        return plain_audit(id_, **KINDS[kind], unit=unit, estimate=Estimate(value=value, unit=unit))

    audits = [
        moved("a/down", -7.0, "equivalence"),
        moved("b/wanted", -30.0, "not_raised"),
        moved("c/raised", 4.0, "not_raised"),
        moved("d/slope", -12.0, "sensitivity", "points per severity step"),
        moved("e/rate", 90.0, "rate_difference", "share"),
        moved("f/up", 2.0, "equivalence"),
        moved("g/none", 0.0, "equivalence"),
    ]
    found = views.largest_effects(lean.model_copy(update={"audits": audits}), 5)
    assert [a.id for a in found] == ["a/down", "c/raised", "f/up"]


def test_each_corruption_pairs_its_fall_with_its_separation(lean: Evidence) -> None:
    items = views.corruptions([a for a in lean.audits if a.family in ("sensitivity", "discrimination")])
    assert len(items) == 10
    for item in items:
        assert [a.family for a in item.audits] == ["sensitivity", "discrimination"]
        assert item.points
        assert item.discrimination
        assert item.first[-1] == "other"  # one image: required nowhere, so it is shown last


def test_a_heat_table_has_a_place_for_every_modality(lean: Evidence) -> None:
    columns = views.modalities(lean)
    table = views.heat([a for a in lean.audits if a.family == "discrimination"], columns)
    for audit, places in table.rows:
        assert len(places) == len(columns)
        assert sum(map(len, places)) == len(audit.parts)
        assert [c.level for c in places[0]] == [1, 2, 3, 4, 5]


def test_outcomes_are_shown_once_per_prompt() -> None:
    same = Outcomes(scored=10, refused=2)
    rows = views.outcome_rows(
        [
            plain_audit("answers/refused.a", words="a", outcomes=same),
            plain_audit("answers/unparsed.a", words="a", outcomes=same),
            plain_audit("answers/other", outcomes=Outcomes(scored=1)),
            plain_audit("answers/none"),
        ]
    )
    assert rows == [("a", same), ("Other", Outcomes(scored=1))]


def test_answers_of_a_judge_are_not_counted_as_the_models(lean: Evidence) -> None:
    tasks = {"described": {"role": "judge", "of": "describe"}, "describe": {}}
    prompts = [PromptInfo(id=f"{task}.direct", scorer="text", text="?") for task in tasks]
    critic = RoleInfo(role="judge", name="critic", given="model", outcomes=Outcomes(scored=9, refused=1, unparsed=2))
    evidence = lean.model_copy(
        update={
            "prompts": prompts,
            "models": [critic],
            "protocol": lean.protocol.model_copy(update={"criteria": {"tasks": tasks}}),
        }
    )
    assert views.whose(evidence) == {"described.direct": "critic"}
    assert views.all_questions(evidence) == f"All questions, {evidence.model.name}"
    assert views.all_questions(lean) == "All questions"
    audits = [plain_audit(f"lost/{p.id}", words=p.id, outcomes=Outcomes(scored=1)) for p in prompts]
    labels = [label for label, _ in views.outcome_rows(audits, views.whose(evidence))]
    assert labels == ["described.direct, critic", "describe.direct"]
    [sentence] = beside_sentences(evidence)
    assert sentence == "critic answered 12 distinct questions as the judge, asked here; 1 refused and 2 not readable."


def test_what_audits_cannot_show_depends_on_what_they_held_answers_against(lean: Evidence) -> None:
    right = lean.model_copy(update={"audits": [plain_audit("skill/x", quantity="above_chance")]})
    assert "labels" in shows_what(right)
    assert "how scores behave" in shows_what(lean)


def test_the_gallery_starts_with_failures_and_gives_every_audit_a_turn(lean: Evidence) -> None:
    def case(n: int) -> Case:
        return Case(
            item=str(n),
            modality="ct",
            synthetic=False,
            condition="",
            control_answer="",
            treated_answer="",
            control_score=50,
            treated_score=50 + n,
        )

    audits = [
        plain_audit("x/pass", cases=[case(90)]),
        plain_audit("x/one", "FAIL", cases=[case(1), case(2)]),
        plain_audit("x/two", "FAIL", cases=[case(3)]),
    ]
    shown, total = views.gallery(lean.model_copy(update={"audits": audits}), 3)
    assert total == 4
    assert [(a.id, c.item) for a, c in shown] == [("x/two", "3"), ("x/one", "1"), ("x/one", "2")]


def test_the_title_is_not_said_twice() -> None:
    assert views.without_title(plain_audit("x/a")) == "Moved."
    assert views.without_title(plain_audit("x/a", sentence="All is well.")) == "All is well."
    assert views.without_title(plain_audit("x/a", sentence="x/a", title="x/a")) == "x/a"


@given(
    st.recursive(
        st.integers() | st.text(max_size=3),
        lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=3), v, max_size=3),
    )
)
def test_criteria_of_any_shape_flatten_to_rows(value: object) -> None:
    for row in views.flattened({"top": value}):
        assert len(row) == 2
        assert row[0].startswith("top")


def test_criteria_are_flattened_to_dotted_keys() -> None:
    assert views.flattened({"b": {"y": 2, "x": [1, 2]}, "a": [{"k": 1}], "c": {}}) == [
        ("a.1.k", "1"),
        ("b.x", "1, 2"),
        ("b.y", "2"),
        ("c", "{}"),
    ]


def _examples(size: int = 400) -> list[Example]:
    jpeg = base64.b64encode(b"x" * size).decode()
    return [
        Example(item=m, modality=m, synthetic=False, perturbation=c, level=s, jpeg=jpeg)
        for m in ("ct", "mr", "oct")
        for c, severities in (("", (0,)), ("blur", range(1, 6)), ("noise", range(1, 6)))
        for s in severities
    ]


def test_all_pictures_are_taken_when_there_is_room_and_clean_ones_once() -> None:
    album = thumbnails.fill(_examples(), {"blur": ("oct", "ct")})
    assert (album.total, album.left_out) == (33, 0)
    assert len(album.shared) == 3
    assert [s.modality for s in album.strips["blur"]] == ["oct", "ct", "mr"]
    assert [s.modality for s in album.strips["noise"]] == ["ct", "mr", "oct"]
    for strip in album.strips["blur"]:
        assert [t.level for t in strip.thumbs] == [0, 1, 2, 3, 4, 5]
        assert strip.thumbs[0].shared in album.shared


@given(st.integers(0, 20_000))
def test_the_budget_holds_and_only_whole_strips_are_taken(budget: int) -> None:
    album = thumbnails.fill(_examples(), {}, budget)
    used = sum(len(t.source) for own in album.strips.values() for s in own for t in s.thumbs)
    used += sum(map(len, album.shared.values()))
    taken = sum(bool(t.source) for own in album.strips.values() for s in own for t in s.thumbs) + len(album.shared)
    assert used - taken * len("data:image/jpeg;base64,") <= budget
    assert album.left_out == album.total - taken
    for own in album.strips.values():
        assert all(len(strip.thumbs) == 6 for strip in own)
    lengths = [len(album.strips.get(name, [])) for name in ("blur", "noise")]
    assert abs(lengths[0] - lengths[1]) <= 1


def test_what_is_not_base64_is_not_a_picture() -> None:
    evil = Example(item="i", modality="ct", synthetic=False, perturbation="blur", level=1, jpeg='"><script>')
    album = thumbnails.fill([evil], {})
    assert album.left_out == 1
    assert album.strips["blur"][0].thumbs[0].source == ""
