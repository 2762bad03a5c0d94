from auditkit.protocol.changes import WORDING, changes


def test_criteria_that_differ_are_listed_by_key():
    old = {"seed": 1, "families": {"a": {"margin": 5.0, "modality_margin": 10.0}, "gone": {"cap": 0.1}}}
    new = {"seed": 1, "families": {"a": {"margin": 8.0, "modality_margin": None}}, "looks": {"number": 4}}
    assert changes(old, new) == [
        "families.a.margin: 5.0, now 8.0",
        "families.a.modality_margin: 10.0, now absent",
        "families.gone.cap: 0.1, now absent",
        "looks.number: absent, now 4",
    ]


def test_a_hash_that_differs_for_its_wording_alone_says_so():
    assert changes({"seed": 1}, {"seed": 1}) == [WORDING]


def test_a_value_that_only_looks_alike_is_a_change():
    assert changes({"x": "5"}, {"x": 5}) == ["x: 5, now 5"]
