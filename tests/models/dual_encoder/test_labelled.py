"""Labelled data sets in their published format, asked of a checkpoint: its own similarities, from file to verdict."""

import math
from functools import cache

import numpy as np
import pytest
from scipy import stats

from auditkit.ask.plan import Plan, check_effects, distinct
from auditkit.ask.prefetch import digests, prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.tally import Tally
from auditkit.images.sources import load_images
from auditkit.judge.judge import Judge
from auditkit.measure.reader import AnswerReader
from auditkit.measure.recorded import columns_needed
from auditkit.models.base import Request
from auditkit.models.dual_encoder import DualEncoder
from auditkit.models.dual_encoder.scale import scale_of
from auditkit.protocol.catalogue import Catalogue
from auditkit.protocol.effects import differs
from auditkit.protocol.right_answers import accuracy, separation, skill
from auditkit.run.truths import columns_of_tasks, with_truths
from auditkit.vocabulary import Perturbation, Question
from tests.judge.build import protocol
from tests.models.dual_encoder.conftest import SCALE, picture

PROMPTS = ["a medical image of {option}", "a chest radiograph showing {option}"]
TASKS = {
    "chest": {
        "scorer": {"choice": {"A": {"text": "clear lungs", "label": "normal"}, "B": "pneumonia"}},
        "truth": "label",
        "class_prompts": PROMPTS,
        "wordings": {"direct": "Which is it?\n{options}\nOne letter."},
    },
    "ward": {
        "scorer": {"choice": {"A": "{first}", "B": "{second}", "C": "{third}"}},
        "class_prompts": ["a medical image of {option}"],
        "wordings": {"direct": "Which is it?\n{options}\nOne letter."},
    },
    "letters": {
        "scorer": {"choice": {"A": "noise", "B": "blur"}},
        "wordings": {"direct": "Which is it?\n{options}\nOne letter."},
    },
}
REVERSED = Perturbation("options_reversed")
FAMILIES = {"zero": {"size": 9, "at_least": 0.5}, "shown": {"shown": True}}
RULES = protocol(families=FAMILIES).model_copy(update={"tasks": TASKS})


def ask(task: str, *condition: Perturbation, image=None, catalogue: Catalogue = RULES.catalogue, **columns) -> Request:
    question = catalogue.resolve(Question(task, "direct", condition))
    prompt = catalogue.prompt(question, columns)
    shown = (picture(0) if image is None else image,)
    statements = dict(prompt.statements) or None
    return Request("id", shown, prompt.user, prompt.system, prompt.choices, 8, question, statements)


def encoder(folder) -> DualEncoder:
    return DualEncoder(folder, name="m")


@cache
def loaded(folder):
    import transformers

    processor, model = (auto.from_pretrained(folder) for auto in (transformers.AutoProcessor, transformers.AutoModel))
    return processor, model.requires_grad_(False)


def own_chances(folder, image, *classes: list[str]) -> list[float]:
    """Of each class, given by its texts, from the checkpoint's forward pass as transformers documents its use."""
    import torch

    processor, model = loaded(folder)
    pixels = processor.image_processor(images=image.convert("RGB"), return_tensors="pt")
    how = {"padding": "max_length", "max_length": 64} if model.config.model_type == "siglip" else {"padding": True}
    logits = []
    for texts in classes:
        with torch.inference_mode():
            found = model(**processor.tokenizer(texts, return_tensors="pt", **how), **pixels)
        mean = torch.nn.functional.normalize(found.text_embeds.double(), dim=1).mean(dim=0)
        unit = torch.nn.functional.normalize(found.image_embeds.double(), dim=1)[0]
        logits.append(SCALE * float(unit @ (mean / mean.norm())))
    total = sum(map(math.exp, logits))
    return [math.exp(logit) / total for logit in logits]


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_options_are_compared_by_the_class_prompts_of_the_task(dual, kind):
    for seed in range(3):
        image = picture(seed)
        (found,) = encoder(dual(kind)).generate([ask("chest", image=image)])
        mine = own_chances(
            dual(kind),
            image,
            ["a medical image of clear lungs", "a chest radiograph showing clear lungs"],
            ["a medical image of pneumonia", "a chest radiograph showing pneumonia"],
        )
        assert {letter: math.exp(p) for letter, p in found.logprobs.items()} == pytest.approx(
            dict(zip("AB", mine, strict=True)), abs=1e-4
        )
        assert found.text == "AB"[int(np.argmax(mine))]


def test_options_of_the_item_and_what_is_said_beside_the_question(dual):
    columns = {"first": "haemorrhage", "second": "oedema"}
    requests = [ask("ward", *some, **columns) for some in ((), (REVERSED,), (Perturbation("institution.neutral"),))]
    assert requests[0].statements == {"A": ("a medical image of haemorrhage",), "B": ("a medical image of oedema",)}
    assert requests[1].statements == {"A": ("a medical image of oedema",), "B": ("a medical image of haemorrhage",)}
    plain, turned, said = encoder(dual("clip")).generate(requests)
    assert turned.logprobs == pytest.approx({"A": plain.logprobs["B"], "B": plain.logprobs["A"]})
    assert {plain.text, turned.text} == {"A", "B"}
    [sentence] = {text.partition("oedema. ")[2] for text in requests[2].statements["B"]}
    assert requests[2].prompt.endswith(sentence)
    assert requests[2].statements["A"] == (f"a medical image of haemorrhage. {sentence}",)
    assert abs(said.logprobs["A"] - plain.logprobs["A"]) > 1e-3


def test_a_law_that_does_more_than_say_something_has_no_class_texts(dual):
    """What cannot be said to it must not be left out in silence."""
    entry = {"function": "tests.models.dual_encoder.test_labelled:shout", "stage": "words", "levels": [{}],
             "label": "x", "tier": "mine", "version": "1", "rationale": "r", "source": "s"}  # fmt: skip
    catalogue = Catalogue.of({"shout": entry}, TASKS, "quality.direct")
    request = ask("chest", Perturbation("shout"), catalogue=catalogue)
    assert "WHICH" in request.prompt
    assert request.statements is None
    (found,) = encoder(dual("clip")).generate([request])
    assert "chest.direct is not one of them" in found.error


def shout(text: str) -> str:
    """Write the question in capitals."""
    return text.upper().replace("{CONTEXT}", "{context}").replace("{OPTIONS}", "{options}")


def test_a_choice_without_class_prompts_is_told_what_to_declare(dual):
    (found,) = encoder(dual("clip")).generate([ask("letters")])
    assert 'class_prompts = ["a medical image of {option}"]' in found.error


@pytest.mark.parametrize("dtype", ["F32", "BF16", "F16"])
def test_the_report_states_the_scale_without_loading_the_weights(dual, tmp_path, dtype):
    import torch
    from safetensors.torch import load_file, save_file

    to = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}[dtype]
    weights = load_file(dual("clip") / "model.safetensors")
    save_file({"other": torch.ones(3), "logit_scale": weights["logit_scale"].to(to)}, tmp_path / "model.safetensors")
    assert scale_of(tmp_path) == pytest.approx(SCALE, rel=0.02)
    (tmp_path / "model.safetensors").write_bytes(b"\x05\0\0\0\0\0\0\0hello")
    assert scale_of(tmp_path) is None
    assert any(f"logit scale, {SCALE:.4g} (a temperature of 0.05)" in said for said in encoder(dual("clip")).limits)


@pytest.fixture
def run(store):
    """Ask a model everything about a data set; return what the judge says of every effect."""

    def run(path, effects, model, rules=RULES):
        effects = distinct(effects)
        check_effects(effects, rules)
        images = load_images(
            str(path), salt="s", columns=columns_of_tasks(effects, rules), strata=columns_needed(rules, effects)
        )
        images = with_truths(images, effects, rules)
        plan, renderer = Plan(images.records, effects, rules), Renderer(store, 1, rules.catalogue)
        tally = prefetch(plan, model, store, renderer, batch_size=8, deadline=60, on_progress=lambda t: None)
        assert not tally.errors
        found = digests(plan, store, renderer, Tally())
        data = AnswerReader(plan, found, Keys(model, 8, rules.catalogue), store, renderer).measure()
        judge = Judge(rules, data, plan.effects)
        return {effect.name: judge.audit(effect, "?") for effect in plan.effects}, data

    return run


def medmnist(path, n: int, positive: int) -> tuple[np.ndarray, np.ndarray]:
    """Write pneumoniamnist as its authors do, with a test split only: every `positive`-th picture has pneumonia."""
    images = np.stack([np.asarray(picture(seed).resize((28, 28)), np.uint8) for seed in range(n)])
    labels = (np.arange(n) % positive == 0).astype(np.uint8).reshape(n, 1)
    np.savez(path, test_images=images, test_labels=labels)
    return images, labels[:, 0]


def test_accuracy_on_medmnist_is_that_of_the_checkpoint(dual, run, tmp_path):
    from PIL import Image

    images, labels = medmnist(tmp_path / "pneumoniamnist.npz", 12, 3)
    effects = [
        accuracy("chest", family="zero"),
        separation("chest", "pneumonia", family="shown"),
        differs(REVERSED, task="chest", name="turned", family="zero"),
    ]
    audits, data = run(tmp_path / "pneumoniamnist.npz", effects, encoder(dual("clip")))
    right, ill = 0, []
    for pixels, label in zip(images, labels, strict=True):
        chances = own_chances(dual("clip"), Image.fromarray(pixels), *(
            [prompt.replace("{option}", said) for prompt in PROMPTS] for said in ("clear lungs", "pneumonia")
        ))  # fmt: skip
        right += int(np.argmax(chances)) == label
        ill.append(chances[1])
    assert len(data.records) == 12
    assert audits["chest-correct"].parts[0].estimate.value == pytest.approx(right / 12)
    area = stats.mannwhitneyu(np.array(ill)[labels == 1], np.array(ill)[labels == 0]).statistic / (4 * 8)
    assert audits["chest-auroc"].parts[0].estimate.value == pytest.approx(area)
    # It compares texts, not letters: by construction their order cannot matter.
    assert {cell.estimate.value for cell in audits["turned"].parts} == {0.0}


def test_an_encoder_that_ignores_the_picture_has_no_skill(dual, run, tmp_path):
    """It gives every picture one vector, so one class: right in as many as that class has, which is no skill."""
    medmnist(tmp_path / "pneumoniamnist.npz", 40, 4)
    model = encoder(dual("clip"))
    blind = model._loaded()
    seen = blind.images([picture(0)])
    blind.images = lambda some: np.repeat(seen, len(some), axis=0)
    audits, data = run(
        tmp_path / "pneumoniamnist.npz", [skill("chest", family="zero"), accuracy("chest", family="zero")], model
    )
    assert {cell.estimate.value for cell in audits["chest-skill"].parts} == {0.0}
    assert audits["chest-skill"].verdict != "PASS"
    [said] = set(data.column(Question("chest", "direct")).labels.tolist())
    share = np.mean([record.attributes["label"] == said for record in data.records])
    assert abs(share - 0.5) > 0.2
    assert audits["chest-correct"].parts[0].estimate.value == pytest.approx(share)
