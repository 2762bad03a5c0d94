"""Which records may be compared, and what is said of those that may not."""

import pytest

from auditkit.errors import AuditkitError
from auditkit.evidence import Answers, Evidence
from auditkit.models.base import ModelOptions
from auditkit.models.resolve import resolve_model
from auditkit.records.compare import MAX_MODELS, compare
from auditkit.records.compare.runs import contestants, same_family
from auditkit.testing import FairReader, tiny_checkpoint
from tests.records.compare.made_up import record, some_effects


@pytest.fixture(scope="module")
def base(protocol) -> Evidence:
    effects = some_effects("sensitivity", "metadata", "answers", most=1)
    return record(FairReader(), "a", protocol, effects=effects)


def changed(evidence: Evidence, part: str, **fields: object) -> Evidence:
    return evidence.model_copy(update={part: getattr(evidence, part).model_copy(update=fields)})


def refused(*evidences: Evidence) -> str:
    with pytest.raises(AuditkitError) as error:
        contestants(evidences, [f"{chr(97 + i)}.json" for i in range(len(evidences))])
    return str(error.value)


def test_one_record_is_no_comparison(base):
    assert "two records or more, got 1" in refused(base)
    with pytest.raises(AuditkitError, match=f"at most {MAX_MODELS}"):
        compare([base] * (MAX_MODELS + 1))


def test_a_record_without_answers_is_named(base):
    assert "b.json holds no answers" in refused(base, base.model_copy(update={"answers": Answers()}))


def test_damaged_answers_are_named(base):
    columns = [base.answers.columns[0].model_copy(update={"values": {"": "50"}}), *base.answers.columns[1:]]
    assert "b.json are damaged" in refused(base, changed(base, "answers", columns=columns))


def test_another_protocol_is_refused_with_what_differs(base):
    criteria = {**base.protocol.criteria, "families": {**base.protocol.criteria["families"]}}
    criteria["families"]["metadata"] = {**criteria["families"]["metadata"], "within": 8.0}
    other = changed(base, "protocol", sha256="00" * 32, criteria=criteria, criteria_sha256="else")
    said = refused(base, other, base)
    assert "as one: a.json, c.json" in said
    assert "unlike it: b.json (protocol: families.metadata.within: 5.0, now 8.0)" in said
    assert "auditkit compare a.json c.json" in said
    assert "auditkit compare a.json b.json" not in said


def test_other_wording_is_said_where_no_criterion_differs(base):
    entries = {**base.protocol.entries, "wording quality.direct": "else"}
    other = changed(base, "protocol", sha256="00" * 32, entries=entries)
    assert "protocol in wording quality.direct: a perturbation, a wording" in refused(base, other)


def test_other_images_are_counted(base, protocol):
    fewer = record(FairReader(), "b", protocol, images={"ct": 30, "xray": 32}, effects=some_effects("answers"))
    said = refused(base, changed(fewer, "data", sha256="11" * 32))
    assert "2 images are missing, 0 are other ones" in said
    assert "Run the audits of each model with the same" in said


def test_the_same_pictures_under_other_ids_are_known_for_what_they_are(base):
    images = [image.model_copy(update={"id": f"x{image.id}"}) for image in base.answers.items]
    assert "AUDITKIT_SALT was another one" in refused(base, changed(base, "answers", items=images))


def test_the_same_ids_with_other_pixels_or_patients(base):
    assert "the same ids and other pixels" in refused(base, changed(base, "data", sha256="22" * 32))
    for moved in ({"cluster": "else"}, {"columns": {"scanner": "b"}}):
        images = [base.answers.items[0].model_copy(update=moved), *base.answers.items[1:]]
        assert "belong to other patients" in refused(base, changed(base, "answers", items=images))


def test_labels_are_unique_and_do_not_depend_on_the_order(base):
    named = changed(base, "model", name="b")
    newer = changed(named, "model", revision="2")
    rerun = changed(newer, "run", id="later")
    given = [rerun, base, newer, named]
    labels = {run.label: run.evidence for run in contestants(given, list("wxyz"))}
    assert list(labels) == ["a", "b (1)", "b (2) (20261122-100000-a)", "b (2) (later)"]
    assert labels["b (2) (later)"] is rerun
    again = {run.label: run.evidence for run in contestants(given[::-1], list("zyxw"))}
    assert labels == again
    assert [run.label for run in contestants([base, base], ["x", "y"])] == ["a #1", "a #2"]


def test_families_are_compared_where_both_are_known(base):
    llava, clip = (changed(base, "model", family=f) for f in ("llava", "clip"))
    assert same_family(llava, llava) is True
    assert same_family(llava, clip) is False
    assert same_family(llava, base) is None


def test_models_tell_their_family_where_it_is_known(tmp_path):
    own = tmp_path / "mine.toml"
    own.write_text(
        '[there]\nbackend = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nserved = "m"\nfamily = "gemma3"\n'
        '[else]\nbackend = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nserved = "m"\n'
    )
    options = ModelOptions(registry=str(own))
    assert resolve_model("reference-prestige").family == "llava"  # of the registry
    assert resolve_model(str(tiny_checkpoint("qwen2_5_vl"))).family == "qwen2_5_vl"  # of config.json
    assert resolve_model(str(tiny_checkpoint("siglip"))).family == "siglip"
    assert resolve_model("there", options).family == "gemma3"
    assert resolve_model("else", options).family == ""
