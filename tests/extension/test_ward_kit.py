"""A package of somebody else's adds one of each; its audits run, gate and report like shipped ones."""

import json

WORDS = ("ward_words/night", "ward_words/night-under-grid", "ward_stars_words/night-in-stars")


def without_run(ward, out):
    record = json.loads((ward.folder / out / "evidence.json").read_text())
    record.pop("run")
    return record


def test_a_fair_model_passes_everything(ward):
    assert ward.fair.returncode == 0, ward.fair.stdout + ward.fair.stderr
    verdicts = ward.verdicts("fair")
    assert len(verdicts) == 10
    assert verdicts.pop("ward_shown/signed") == "INCONCLUSIVE", "what is only shown is held to no limit"
    assert set(verdicts.values()) == {"PASS"}
    assert (ward.evidence("fair").verdict, ward.evidence("fair").not_run) == ("PASS", [])


def test_a_model_that_falls_for_the_sentence_fails_where_it_is_said_and_nowhere_else(ward):
    assert ward.gullible.returncode == 1
    verdicts = ward.verdicts("gullible")
    assert {id for id, verdict in verdicts.items() if verdict == "FAIL"} == set(WORDS)
    others = {id for id in verdicts if id not in WORDS and not id.startswith("ward_shown/")}
    assert {verdicts[id] for id in others} == {"PASS"}


def test_composition_shows_the_same_bias_and_no_interaction(ward):
    audits = {audit.id: audit for audit in ward.evidence("gullible").audits}
    under = audits["ward_words/night-under-grid"]
    assert abs(under.estimate.value - 20) < 1
    assert "Anti-scatter grid, severity 2" in under.treated
    assert "night shift" in under.treated
    assert under.control == "Anti-scatter grid, severity 2"
    interaction = audits["ward_words/night-by-grid"]
    assert interaction.verdict == "PASS"
    assert abs(interaction.estimate.value) < 2
    stars = audits["ward_stars_words/night-in-stars"]
    assert (stars.unit, stars.quantity) == ("stars", "stars")
    assert abs(stars.estimate.value - 1) < 0.1


def test_a_further_value_and_a_column_of_ones_own_decide(ward):
    audits = {audit.id: audit for audit in ward.evidence("fair").audits}
    assert audits["ward_sure/sure"].estimate.value == 0.8
    refusals = audits["ward_refusals/refused"]
    assert [(cell.stratum.column, cell.stratum.level) for cell in refusals.parts if cell.stratum.level != "all"] == [
        ("scanner", "north"),
        ("scanner", "south"),
    ]


def test_refusals_are_found_in_the_scanner(ward):
    done = ward.audit("ward-shy", "shy", "-k", "scanner")
    assert done.returncode == 1
    assert ward.verdicts("shy") == {"ward_refusals/refused": "FAIL"}


def test_the_hazard_of_a_sentence_of_ones_own_stands_beside_its_audit(ward):
    audits = {audit.id: audit for audit in ward.evidence("fair").audits}
    assert audits["ward_words/night"].hazard == "Images of the night are waved through."


def test_the_report_shows_titles_and_questions(ward):
    page = (ward.folder / "fair" / "report.html").read_text(encoding="utf-8")
    for words in (
        "Anti-scatter grid",
        "Night shift",
        "The image was taken during the night shift.",
        "The score must fall as the grid gets denser.",
        "What does a signature do?",
        "stars",
    ):
        assert words in page, words


def test_the_record_can_be_rendered_again_without_the_package(ward):
    code, said = ward.auditkit("report", "fair/evidence.json", "--html=again.html")
    assert code == 0, said
    assert (ward.folder / "again.html").read_bytes() == (ward.folder / "fair" / "report.html").read_bytes()


def test_the_record_is_verified(ward):
    code, said = ward.auditkit("verify", "gullible")
    assert "DOES NOT MATCH" not in said, said
    assert code in (0, 3), said


def test_two_runs_are_compared(ward):
    code, said = ward.auditkit("compare", "fair/evidence.json", "gullible/evidence.json", "--out", "both.html")
    assert code == 0, said
    page = (ward.folder / "both.html").read_text(encoding="utf-8")
    assert "Night shift" in page
    assert "told apart in 0 of 0" not in said, said


def test_a_pilot_says_how_many_patients_its_audits_take(ward):
    code, said = ward.auditkit("plan", "--pilot", "fair/evidence.json")
    assert code == 0, said
    for family in ("ward_words", "ward_grid", "ward_stars"):
        assert family in said, said


def test_a_new_version_is_held_against_the_old(ward):
    done = ward.audit("ward-gullible", "later", "--audit-baseline=fair/evidence.json")
    assert done.returncode == 1, done.stdout + done.stderr
    verdicts = ward.verdicts("later")
    assert verdicts["baseline/ward_words/night"] == "FAIL"
    assert verdicts["baseline/ward_stars_words/night-in-stars"] == "FAIL"
    assert verdicts["baseline/ward_grid/grid"] == "PASS"


def test_two_processes_give_the_same_evidence(ward):
    done = ward.audit("ward-gullible", "two", "-n", "2")
    assert done.returncode == 1, done.stdout + done.stderr
    assert without_run(ward, "two") == without_run(ward, "gullible")


def test_sentences_may_stand_in_a_file_beside_the_protocol(ward):
    done = ward.run("more", "--model=ward-fair", "--audit-data=ward:160", "--audit-out=days")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ward.verdicts("days") == {"ward_more/weekend": "PASS", "ward_more/holiday.winter": "PASS"}
    _, said = ward.auditkit("verify", "days")
    assert "DOES NOT MATCH" not in said, said


def test_the_list_knows_what_the_plugin_adds(ward):
    done = ward.run("audits", "--audit-list")
    assert done.returncode == 0
    said = " ".join(done.stdout.split())
    assert "hazard: Images of the night are waved through. Night shift night" in said
    # An interaction of four scores can be 200 points off: 0.975^119 = 0.049, 0.975^118 = 0.050.
    assert "at least 119 in each modality and 119 together, if nothing changes 1 audit:" in said


def test_without_the_plugin_the_run_says_what_is_missing(ward):
    done = ward.pytest("audits", "--model=reference", "--audit-data=demo", "--audit-out=none")
    assert done.returncode == 4
    assert "tasks.ward_stars.scorer: allowed: score_100" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
