from auditkit.protocol.changes import ENTRIES, LONGEST, changed_entries, changes


def test_criteria_that_differ_are_listed_by_key():
    old = {"seed": 1, "families": {"a": {"within": 5.0, "in_each": 10.0}, "gone": {"at_most": 0.1}}}
    new = {"seed": 1, "families": {"a": {"within": 8.0, "in_each": None}}, "looks": {"number": 4}}
    assert changes(old, new) == [
        "families.a.in_each: 10.0, now absent",
        "families.a.within: 5.0, now 8.0",
        "families.gone.at_most: 0.1, now absent",
        "looks.number: absent, now 4",
    ]


def test_what_lies_deeper_and_lists_are_compared_too(protocol):
    old = protocol.model_dump(mode="json")
    new = protocol.model_dump(mode="json")
    new["families"]["metadata"]["tail"]["beyond"] = 30.0
    new["families"]["discrimination"]["required"] = ["severity 5"]
    assert changes(old, new) == [
        "families.discrimination.required: ['severity 3', 'severity 4', 'severity 5'], now ['severity 5']",
        "families.metadata.tail.beyond: 25.0, now 30.0",
    ]


def test_a_hash_that_differs_for_an_entry_alone_says_so():
    assert changes({"seed": 1}, {"seed": 1}) == [ENTRIES]


def test_a_value_that_only_looks_alike_is_a_change():
    assert changes({"x": "5"}, {"x": 5}) == ["x: 5, now 5"]


def test_a_long_text_is_cut():
    (line,) = changes({"x": "a" * 500}, {"x": "b" * 500})
    assert len(line) < 2 * LONGEST + 20


def test_entries_that_differ_are_named():
    old = {"perturbation blur": "1", "wording quality.direct": "2", "scorer quality": "3"}
    new = {"perturbation blur": "1", "wording quality.direct": "4", "perturbation fog": "5"}
    assert changed_entries(old, new) == ["perturbation fog", "scorer quality", "wording quality.direct"]
