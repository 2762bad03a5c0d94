"""Two models in one run, each asked through its own back end, held against each other item by item."""

import json

import pytest

from tests.plugin.conftest import calls, evidence_of, write_pictures
from tests.plugin.stubs import MODELS, PROTOCOL

# Ten points above the other for every picture, so that the difference is 10 by construction; one in four refused.
SIBLINGS = """


class Above(Base):
    name, revision, fingerprint = "above", "7", "above-1"
    calls = None

    def generate(self, requests):
        with open("above.log", "a") as stream:
            stream.writelines(f"{os.getpid()} {request.id}\\n" for request in requests)
        return super().generate(requests)

    def score(self, request):
        return str(int(super().score(request)) + 10)


class Fails(Above):
    name, fingerprint = "fails", "fails-1"

    def generate(self, requests):
        raise RuntimeError("the other card has fallen off the bus")


above, fails = Above(), Fails()
"""

AUDITS = '''
import json

import pytest
from auditkit import behind, mean, share, versus

EFFECTS = [behind(mean(family="sibling")), versus(share("lost", "quality", family="lost"))]


@pytest.mark.parametrize("effect", EFFECTS[:1], ids=str)
def test_not_behind(effect, audit):
    """The model must not score much below its sibling."""
    audit.at_most(effect)


@pytest.mark.parametrize("effect", EFFECTS[1:], ids=str)
def test_lost(effect, audit):
    """The model must not lose more answers than its sibling."""
    audit.at_most(effect)
'''


def protocol(limit=4.0, more=""):
    families = f"[families.sibling]\nat_most = {limit}\nsize = 1\n[families.lost]\nat_most = 0.1\nsize = 1\n"
    return PROTOCOL + families + more


@pytest.fixture
def two(bench):
    """The bench with audits that compare two models."""
    bench.makepyfile(stub_models=MODELS + SIBLINGS)
    (bench.path / "audits" / "protocol.toml").write_text(protocol())
    (bench.path / "audits" / "test_audits.py").write_text(AUDITS)
    return bench


def asked_of_above(bench):
    log = bench.path / "above.log"
    return log.read_text().splitlines() if log.exists() else []


def without_cases(evidence):
    """The raw answers of a record stay in the store of its own run."""
    return {audit.id: audit.model_copy(update={"cases": []}) for audit in evidence.audits}


def by_id(evidence):
    return {audit.id: audit for audit in evidence.audits}


def test_both_are_asked_in_one_run_with_one_store_and_compared_item_by_item(two, audit_run):
    result = audit_run("--audit-with=sibling=stub_models:above", "--audit-out=out")
    evidence = evidence_of(two, "out")
    audits = by_id(evidence)
    found = audits["sibling/score-behind-sibling"]
    assert found.estimate.value == 10
    assert found.verdict == "FAIL"
    assert "above minus stub" in found.title
    assert "Counted is above minus stub." in found.sentence
    assert audits["lost/quality-lost-vs-sibling"].verdict == "PASS"
    assert len(calls(two)) == len(asked_of_above(two)) == 60
    assert not {line.split()[1] for line in calls(two)} & {line.split()[1] for line in asked_of_above(two)}
    (other,) = evidence.models
    assert (other.role, other.given, other.name, other.revision, other.fingerprint) == (
        "sibling", "model", "above", "7", "above-1",
    )  # fmt: skip
    assert (other.probes.planned, other.probes.asked, other.outcomes.scored) == (60, 60, 60)
    assert (evidence.run.probes.planned, evidence.outcomes.total) == (60, 60)
    assert {column.role for column in evidence.answers.columns} == {"model", "sibling"}
    assert result.ret == 1
    again = audit_run("--audit-with=sibling=stub_models:above", "--audit-out=again")
    assert again.ret == 1
    assert len(calls(two)) == len(asked_of_above(two)) == 60, "a warm store asks neither"
    assert by_id(evidence_of(two, "again"))["sibling/score-behind-sibling"] == found


def test_a_record_answers_as_the_model_it_was_made_of_would(two, audit_run):
    live = ("--audit-with=sibling=stub_models:above", "--audit-out=live", "--audit-no-store")
    audit_run(*live)
    # The sibling's own run, with audits that ask it the same questions.
    audit_run("--audit-with=sibling=stub_models:base", "--audit-out=own", model="stub_models:above")
    asked = len(asked_of_above(two))
    audit_run("--audit-with=sibling=own/evidence.json", "--audit-out=out")
    assert len(asked_of_above(two)) == asked, "a record is not asked"
    there, here = evidence_of(two, "live"), evidence_of(two, "out")
    assert without_cases(here) == without_cases(there)
    (case, *_) = by_id(here)["sibling/score-behind-sibling"].cases
    assert (case.control_score + 10, case.control_answer) == (case.treated_score, f"{case.control_score:.0f}")
    assert case.treated_answer == "(its text is not in the record that answers for it)"
    assert by_id(there)["sibling/score-behind-sibling"].cases[0].treated_answer == f"{case.treated_score:.0f}"
    (other,) = here.models
    own = evidence_of(two, "own")
    assert (other.given, other.name, other.run, other.probes.planned) == ("record", "above", own.run.id, 0)
    assert other.outcomes == there.models[0].outcomes
    before = [column for column in there.answers.columns if column.role == "sibling"]
    assert [column for column in here.answers.columns if column.role == "sibling"] == before
    audit_run("--audit-with=sibling=own", "--audit-out=folder")
    assert by_id(evidence_of(two, "folder")) == by_id(here)


def test_images_that_a_record_has_not_are_not_asked_about(two, audit_run):
    audit_run("--audit-with=sibling=stub_models:base", "--audit-out=own", "--audit-limit=40", model="stub_models:above")
    audit_run("--audit-with=sibling=own/evidence.json", "--audit-out=out")
    evidence = evidence_of(two, "out")
    (theirs,) = (c.values[""].split() for c in evidence.answers.columns if c.role == "sibling")
    assert (len(theirs), theirs.count(".")) == (60, 20)
    found = by_id(evidence)["sibling/score-behind-sibling"]
    assert (found.n_images, found.estimate.value) == (40, 10)
    assert evidence.models[0].outcomes.total == 40
    assert not [limit for limit in evidence.limits if "by their ids" in limit], "all of its images are here"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("seed = 7", "seed = 8"), "its pictures were made otherwise: seed was 7, and is 8 here"),
        (("max_side = 64", "max_side = 48"), "images.max_side was 64, and is 48 here"),
    ],
)
def test_a_record_of_other_pictures_is_refused(two, audit_run, change, said):
    audit_run("--audit-with=sibling=stub_models:base", "--audit-out=own", model="stub_models:above")
    (two.path / "audits" / "protocol.toml").write_text(protocol().replace(*change))
    result = audit_run("--audit-with=sibling=own/evidence.json")
    assert result.ret == 4
    assert said in result.stderr.str()


def test_a_record_of_other_images_is_refused(two, audit_run):
    audit_run("--audit-with=sibling=stub_models:base", "--audit-out=own", model="stub_models:above")
    more = two.mkdir("others")
    write_pictures(more, 30)
    (more / "p000.png").write_bytes((two.path / "pictures" / "p059.png").read_bytes())
    result = audit_run("--audit-with=sibling=own/evidence.json", data="others")
    assert result.ret == 4
    assert "--audit-with=sibling: the pixels of 1 of the 30 images" in " ".join(result.stderr.str().split())


def test_a_record_with_other_numbers_than_it_says_is_refused(two, audit_run):
    audit_run("--audit-with=sibling=stub_models:base", "--audit-out=own", model="stub_models:above")
    path = two.path / "own" / "evidence.json"
    tree = json.loads(path.read_text())
    tree["outcomes"]["scored"] -= 1
    path.write_text(json.dumps(tree))
    result = audit_run("--audit-with=sibling=own/evidence.json")
    assert result.ret == 4
    assert "its answers are damaged: outcomes.scored" in result.stderr.str()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "asks sibling, and nobody is named for it: --audit-with=sibling=NAME (1 other audit"),
        (("--audit-with=sibling",), "does not name a role and who answers in it"),
        (("--audit-with=second-one=x",), "a role is a word of letters"),
        (("--audit-with=model=x",), "the role 'model' is taken"),
        (("--audit-with=baseline=x",), "the role 'baseline' is taken"),
        (("--audit-with=a=x", "--audit-with=a=y"), "two are named for the role 'a', x and y"),
        (("--audit-with=sibling=llava-nonesuch",), "--audit-with=sibling=llava-nonesuch is unknown"),
        (("--audit-with=sibling=gone.json",), "--audit-with=sibling=gone.json cannot be read"),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_is(two, audit_run, options, said):
    result = audit_run(*options)
    assert result.ret == 4
    assert said in " ".join(result.stderr.str().split())
    assert not calls(two)


def test_an_audit_that_only_shows_is_left_out_where_nobody_answers(two, audit_run):
    text = (
        protocol().replace("at_most = 4.0\nsize = 1", "shown = true").replace("at_most = 0.1\nsize = 1", "shown = true")
    )
    (two.path / "audits" / "protocol.toml").write_text(text)
    (two.path / "audits" / "test_audits.py").write_text(
        AUDITS.replace("audit.at_most", "audit.shows").replace(
            "EFFECTS[1:]", '[share("lost", "quality", family="lost")]'
        )
    )
    result = audit_run("--audit-out=out", "-rs")
    result.assert_outcomes(passed=1, skipped=1)
    assert "nobody is named for it" in " ".join(result.stdout.str().split())
    assert [audit.id for audit in evidence_of(two, "out").audits] == ["lost/quality-lost"]


def test_a_role_that_no_audit_asks_is_said_and_not_asked(two, audit_run):
    result = audit_run(
        "--audit-with=sibling=stub_models:base", "--audit-with=judge=stub_models:above", "--audit-out=out"
    )
    assert "no audit that was collected asks judge, so --audit-with=judge does nothing." in result.stdout.str()
    assert not asked_of_above(two)
    (other,) = evidence_of(two, "out").models
    assert other.role == "sibling"


def test_the_model_beside_itself_is_asked_once_and_said(two, audit_run):
    audit_run("--audit-with=sibling=stub_models:base", "--audit-out=out")
    evidence = evidence_of(two, "out")
    assert len(calls(two)) == 60
    found = by_id(evidence)["sibling/score-behind-sibling"]
    assert found.estimate.value == 0
    assert "stub (sibling) minus stub (model)" in found.title
    assert any("sibling is the audited model itself" in limit for limit in evidence.limits)


def test_a_second_model_without_answers_is_an_error_and_no_verdict(two, audit_run):
    result = audit_run("--audit-with=sibling=stub_models:fails", "--audit-out=out")
    assert result.ret == 1
    evidence = evidence_of(two, "out")
    assert {audit.verdict for audit in evidence.audits} == {"ERROR"}
    (lost,) = evidence.unscored
    assert (lost.role, lost.n) == ("sibling", 60)
    assert "the other card has fallen off the bus" in lost.why
    assert evidence.outcomes.error == 0
    audit_run("--audit-with=sibling=stub_models:above", "--audit-out=again")
    assert len(calls(two)) == 60, "the answers of the first are kept"


def test_a_dry_run_counts_the_questions_to_each(two, audit_run):
    audit_run("--audit-with=sibling=stub_models:base")
    result = audit_run("--audit-with=sibling=stub_models:above", "--audit-dry-run")
    lines = result.stdout.str().splitlines()
    place = lines.index("asked of stub:"), lines.index("asked of above:")
    assert [line.split()[-1] for line in lines[place[0] + 1 : place[0] + 4]] == ["60", "60", "0"]
    assert [line.split()[-1] for line in lines[place[1] + 1 : place[1] + 4]] == ["60", "0", "60"]
    assert not asked_of_above(two)


def test_workers_ask_both_once(two, audit_run):
    audit_run("--audit-with=sibling=stub_models:above", "--audit-out=one", "--audit-no-store")
    before = len(calls(two)), len(asked_of_above(two))
    audit_run("--audit-with=sibling=stub_models:above", "--audit-out=out", "-n", "2")
    assert (len(calls(two)), len(asked_of_above(two))) == (2 * before[0], 2 * before[1])
    one, out = evidence_of(two, "one"), evidence_of(two, "out")
    assert by_id(one) == by_id(out)
    assert [m.model_copy(update={"probes": None}) for m in one.models] == [
        m.model_copy(update={"probes": None}) for m in out.models
    ]


def test_early_looks_stop_asking_both(two, audit_run):
    write_pictures(two.path / "pictures", 120)
    (two.path / "audits" / "protocol.toml").write_text(protocol(limit=40.0).replace("at_most = 0.1", "at_most = 0.5"))
    audit_run("--audit-with=sibling=stub_models:above", "--audit-out=out", "--audit-looks=2")
    evidence = evidence_of(two, "out")
    assert {audit.verdict for audit in evidence.audits} == {"PASS"}
    assert len(calls(two)) == len(asked_of_above(two)) == 60
    assert evidence.models[0].probes.planned == evidence.run.probes.planned == 60
    assert [look.n_questions for look in evidence.looks] == [120]


def test_an_earlier_run_is_no_reference_for_what_compares_two_models(two, audit_run):
    audit_run("--audit-with=sibling=stub_models:above", "--audit-out=first")
    result = audit_run("--audit-with=sibling=stub_models:above", "--audit-baseline=first", "--audit-out=out")
    assert not [audit for audit in evidence_of(two, "out").audits if audit.family == "baseline"]
    assert result.ret == 1


def test_every_page_names_the_second_model(two, audit_run):
    from auditkit.report.cards import chai_card, huggingface_card
    from auditkit.report.ci.github import summary
    from auditkit.report.pdf.document import document

    result = audit_run("--audit-with=sibling=stub_models:above", "--audit-out=out")
    assert "above answered 60 distinct questions as the sibling, asked here." in result.stdout.str()
    page = " ".join((two.path / "out" / "report.html").read_text().split())
    assert "<dt>Sibling</dt><dd>above <small>7</small></dd>" in page
    assert "<dt>Sibling</dt><dd>above, revision 7, back end import; asked here: 60 asked in this run" in page
    assert "<dt>Sibling, fingerprint</dt><dd><code>above-1</code></dd>" in page
    assert "Score: above minus stub" in page
    assert "above: clean image, no extra sentence" in page
    assert "the same questions to stub" in page
    record = (two.path / "out" / "evidence.json").read_bytes()
    evidence = evidence_of(two, "out")
    paper = document(evidence, record)
    assert "above, revision 7, back end import; asked here" in paper
    assert "above answered 60 distinct questions as the sibling" in paper
    assert "Answered beside it: sibling: above, revision 7" in chai_card(evidence)
    assert "sibling: above, revision 7, back end import, asked here; fingerprint above-1" in huggingface_card(
        evidence, record
    )
    assert "above answered 60 distinct questions as the sibling" in summary(evidence, [], files=[])


def test_models_that_were_compared_with_the_same_one_are_compared(two, audit_run):
    from auditkit.records.compare import compare

    audit_run("--audit-with=sibling=stub_models:above", "--audit-out=one")
    audit_run("--audit-with=sibling=stub_models:above", "--audit-out=two", model="stub_models:prestige")
    audit_run("--audit-with=sibling=stub_models:prestige", "--audit-out=other", model="stub_models:refuses")
    one, other, apart = (evidence_of(two, folder) for folder in ("one", "two", "other"))
    found = {audit.id: audit for audit in compare([one, other]).audits}["sibling/score-behind-sibling"]
    assert found.title == "Score: above minus each model"
    assert found.what == "mean difference of the score between two models"
    assert [effect.estimate.value for effect in found.models] == [10, 10]
    unlike = {audit.id: audit for audit in compare([one, apart]).audits}["sibling/score-behind-sibling"]
    assert unlike.title == "Score: sibling minus each model"
    assert (unlike.what, unlike.differences) == ("", [])


JUDGED = """
[tasks.told]
scorer = "text"
wordings.plain = "Describe the quality of this image."
[tasks.weighed]
of = "told"
role = "judge"
scorer = "score_100"
wordings.plain = "Score this description from 0 to 100: {answer}"
[families.weighed]
shown = true
"""


def test_a_judges_answers_are_counted_as_the_judges(two, audit_run):
    from auditkit.measure.faults import count_faults

    (two.path / "audits" / "protocol.toml").write_text(
        protocol(more=JUDGED).replace("seed = 7", 'seed = 7\ncovers = ["told", "weighed"]')
    )
    (two.path / "audits" / "test_audits.py").write_text(
        "import pytest\nfrom auditkit import mean\n\n\n"
        '@pytest.mark.parametrize("effect", [mean("weighed", family="weighed")], ids=str)\n'
        'def test_weighed(effect, audit):\n    """How good are the descriptions?"""\n    audit.shows(effect)\n'
    )
    audit_run("--audit-with=judge=stub_models:above", "--audit-out=out")
    evidence = evidence_of(two, "out")
    (judge,) = evidence.models
    assert (judge.role, judge.outcomes.total, judge.probes.asked) == ("judge", 60, 60)
    assert (evidence.outcomes.total, evidence.run.probes.asked) == (60, 60)
    assert list(count_faults(evidence)) == []
