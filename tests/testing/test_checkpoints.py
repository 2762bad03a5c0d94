"""What other tests rely on: the checkpoints load like true ones, and their answers are worth comparing."""

import json
import os
import subprocess
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import pytest
from PIL import Image, ImageFilter

from auditkit import perturbations, tasks
from auditkit.errors import AuditkitError
from auditkit.models.local.processors import load_processor
from auditkit.protocol.catalogue import Catalogue
from auditkit.testing import ARCHITECTURES, tiny_checkpoint
from auditkit.vocabulary import Perturbation, Question

DUAL = ("clip", "siglip")
SPEAKING = [name for name in ARCHITECTURES if name not in DUAL]
IMAGES = 20
CATALOGUE = Catalogue.of({}, {}, "quality.direct")
EVERY = [Question(task.id, wording) for task in tasks.shipped().values() for wording in task.wordings]
SAID = ((), (Perturbation(next(iter(perturbations.levels()))),))
"""Without and with a sentence."""


def render(wording, condition=()):
    """The prompt of a wording of the task that asks for a number from 0 to 100."""
    return CATALOGUE.prompt(Question("quality", wording, condition))


def is_scored(text, question):
    return tasks.read(CATALOGUE.task(question.task), question.wording, text).outcome == "scored"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    import torch
    import transformers

    torch.set_num_threads(1)
    assert transformers.AutoModel  # imported before anything is timed
    built = {}

    def checkpoint(name):
        if name not in built:
            started = time.process_time()
            built[name] = tiny_checkpoint(name, tmp_path_factory.mktemp(name))
            assert time.process_time() - started < 5
        return built[name]

    return checkpoint


def loaded(folder, **settings):
    import transformers

    kind = transformers.AutoModel if folder.name.startswith(DUAL) else transformers.AutoModelForImageTextToText
    model, report = kind.from_pretrained(folder, local_files_only=True, output_loading_info=True, **settings)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    processor = load_processor(folder)
    processor.tokenizer.padding_side = "left"
    return model.eval(), processor


def picture(seed: int) -> Image.Image:
    """Noise of some brightness and contrast, every second one blurred; wide and high ones."""
    rng = np.random.default_rng(seed)
    shape = (40, 56) if seed % 3 else (56, 40)
    values = rng.normal(rng.uniform(60, 190), rng.uniform(20, 80), shape).clip(0, 255).astype(np.uint8)
    return Image.fromarray(values).convert("RGB").filter(ImageFilter.GaussianBlur(seed % 2 * 1.5))


def inputs(processor, asked, images):
    texts = [chat(processor, one) for one in asked]
    adds = not texts[0].startswith(processor.tokenizer.bos_token or "\0")
    pictures = [[image] for image in images]
    return processor(text=texts, images=pictures, return_tensors="pt", padding=True, add_special_tokens=adds)


def chat(processor, asked, **settings) -> str:
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": asked.user}]}]
    if asked.system:
        messages.insert(0, {"role": "system", "content": [{"type": "text", "text": asked.system}]})
    return processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False, **settings)


def answers(model, processor, asked, images) -> list[tuple[str, bool]]:
    """Text, and whether it ended by itself."""
    import torch

    batch = inputs(processor, asked, images)
    with torch.inference_mode():
        new = model.generate(**batch, max_new_tokens=8, do_sample=False)[:, batch["input_ids"].shape[1] :]
    ends = model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list) else [ends]
    found = []
    for row in new.tolist():
        at = next((i for i, token in enumerate(row) if token in ends), None)
        found.append((processor.tokenizer.decode(row[:at], skip_special_tokens=True), at is not None))
    return found


def test_importing_the_room_imports_nothing_heavy():
    heavy = "sorted({'torch', 'transformers', 'tokenizers'} & set(sys.modules))"
    script = f"import sys, auditkit.testing; print({heavy})"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_folder_is_small_and_complete(checkpoint, name):
    files = {file.name: file.stat().st_size for file in checkpoint(name).iterdir()}
    assert sum(files.values()) < 5_000_000
    expected = {"config.json", "model.safetensors", "processor_config.json", "tokenizer.json", "tokenizer_config.json"}
    speech = {"generation_config.json", "chat_template.jinja"}
    assert set(files) == (expected if name in DUAL else expected | speech)


@pytest.mark.parametrize("name", ["llava", "qwen3_vl", "siglip"])
def test_seed_settles_every_byte(checkpoint, tmp_path, name):
    tiny_checkpoint(name, tmp_path)
    for file in checkpoint(name).iterdir():
        assert file.read_bytes() == (tmp_path / file.name).read_bytes(), file.name


@pytest.mark.parametrize("name", ["llava", "qwen3_vl", "siglip"])
def test_another_seed_gives_other_weights_and_leaves_the_generator_alone(checkpoint, tmp_path, name):
    import torch

    before = torch.get_rng_state()
    other = tiny_checkpoint(name, tmp_path, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert (other / "model.safetensors").read_bytes() != (checkpoint(name) / "model.safetensors").read_bytes()


@pytest.mark.parametrize("name", SPEAKING)
def test_answers_are_scored_differ_with_image_and_words_and_end(checkpoint, name):
    model, processor = loaded(checkpoint(name))
    wordings = ("direct", "reader")
    cells = [(wording, said, i) for wording in wordings for said in SAID for i in range(IMAGES)]
    asked = [render(wording, said) for wording, said, _ in cells]
    found = answers(model, processor, asked, [picture(i) for _, _, i in cells])
    assert all(ended for _, ended in found)
    texts = np.array([text for text, _ in found]).reshape(len(wordings), len(SAID), IMAGES)
    scored = [is_scored(text, Question("quality", "direct")) for text in texts.flat]
    assert np.mean(scored) >= 0.8
    assert len(set(texts.flat)) >= 5
    assert len({len(processor.tokenizer.tokenize(text)) for text in texts.flat}) >= 2, "lengths must differ"
    for plain, worded in texts:
        assert len(set(plain)) >= 3, "the image must matter"
        assert (plain != worded).mean() >= 0.1, "the words after the question must matter"
    assert (texts[0] != texts[1]).mean() >= 0.3, "the question must matter"


@pytest.mark.parametrize("name", SPEAKING)
def test_every_format_is_answered_in_its_own_way(checkpoint, name):
    model, processor = loaded(checkpoint(name))
    cells = [(question, i) for question in EVERY for i in range(4)]
    found = answers(model, processor, [CATALOGUE.prompt(q) for q, _ in cells], [picture(i) for _, i in cells])
    outcomes: dict[str, list[bool]] = {}
    for (question, _), (text, ended) in zip(cells, found, strict=True):
        assert ended
        # All choices among options are one kind.
        outcomes.setdefault(question.task.partition(".")[0], []).append(is_scored(text, question))
    assert {kind: np.mean(scored) >= 0.8 for kind, scored in outcomes.items()} == dict.fromkeys(outcomes, True)


@pytest.mark.parametrize("name", DUAL)
def test_dual_encoders_tell_images_and_texts_apart(checkpoint, name):
    import torch

    model, processor = loaded(checkpoint(name))
    texts = ["a sharp image", "a blurred image", "noise"]
    batch = processor(text=texts, images=[picture(i) for i in range(4)], return_tensors="pt", padding="max_length")
    assert batch["input_ids"].shape[1] == {"clip": 77, "siglip": 64}[name]
    with torch.inference_mode():
        likeness = model(**batch).logits_per_image
    assert likeness.shape == (4, 3)
    assert (likeness.std(0) > 1e-3).all()
    assert (likeness.std(1) > 1e-3).all()


@pytest.mark.parametrize(
    ("name", "tokens"),
    [("gemma3", 2), ("qwen2_5_vl", 2), ("qwen3_vl", 2), ("llava_mistral", 2), ("internvl", 1), ("llava", 1)],
)
def test_numbers_are_split_as_by_the_true_tokenizer(checkpoint, name, tokens):
    tokenizer = load_processor(checkpoint(name)).tokenizer
    assert len(tokenizer.encode("85", add_special_tokens=False)) == tokens
    for text in ("Ä 85 µm\n\nnaïve 病", "<s> 1,000%"):
        assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


@pytest.mark.parametrize("name", SPEAKING)
def test_texts_open_as_the_true_ones(checkpoint, name):
    processor = load_processor(checkpoint(name))
    text = chat(processor, render("inspector"))
    opening = processor.tokenizer.bos_token
    writes = {"gemma3": True, "gemma3_small_window": True, "idefics3": True, "smolvlm": True}
    assert (opening is not None and text.startswith(opening)) == writes.get(name, False)
    ids = inputs(processor, [render("inspector")], [picture(0)])["input_ids"][0].tolist()
    # Smol's opening token is also the one that opens its turns, so what counts is that it is there once at the start.
    assert [token == processor.tokenizer.bos_token_id for token in ids[:2]] == [opening is not None, False]
    assert text.index("You inspect medical images") < text.index("Inspect this image")
    assert ("system" in text.casefold()) == (name in ("qwen2_5_vl", "qwen3_vl", "internvl", "idefics3", "smolvlm"))


def test_gemma_takes_the_system_turn_into_the_users(checkpoint):
    text = chat(load_processor(checkpoint("gemma3")), render("inspector"))
    assert text.startswith("<bos><start_of_turn>user\nYou inspect medical images")
    assert text.count("<start_of_turn>") == 2


@pytest.mark.parametrize(
    ("name", "shapes", "counts"),
    [
        ("gemma3", [(40, 56), (200, 90)], [16, 16]),
        ("qwen2_5_vl", [(56, 56), (500, 400)], [4, 12]),
        ("internvl", [(56, 56), (40, 56)], [20, 52]),
        ("llava", [(40, 56), (200, 90)], [16, 16]),
        ("llava_next", [(40, 40), (40, 56)], [88, 70]),
    ],
)
def test_image_tokens_depend_on_the_size_as_they_should(checkpoint, name, shapes, counts):
    model, processor = loaded(checkpoint(name))
    found = []
    for shape in shapes:
        image = Image.fromarray(np.full(shape, 99, np.uint8)).convert("RGB")
        ids = inputs(processor, [render("direct")], [image])["input_ids"]
        found.append(int((ids == model.config.image_token_id).sum()))
    assert found == counts


@pytest.mark.parametrize(("name", "window"), [("gemma3_small_window", 64), ("llava_mistral_small_window", 80)])
def test_small_windows_cut_off_what_a_prompt_holds(checkpoint, name, window):
    import torch

    model, processor = loaded(checkpoint(name))
    assert model.config.get_text_config().sliding_window == window
    config = json.loads((checkpoint(name) / "config.json").read_text())["text_config"]
    wide, _ = loaded(checkpoint(name), text_config=config | {"sliding_window": 512})
    batch = inputs(processor, [render("inspector")], [picture(0)])
    assert batch["input_ids"].shape[1] > window
    with torch.inference_mode():
        near, far = (one(**batch).logits[0, -1] for one in (model, wide))
    assert (near - far).abs().max() > 0.1


def test_unknown_architecture_names_the_known():
    with pytest.raises(AuditkitError, match=r"no tiny checkpoint of 'gemma'.*gemma3.*siglip"):
        tiny_checkpoint("gemma")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["llava", "qwen2_5_vl"])
def test_medium_size_for_measurements_of_speed(tmp_path, name):
    model, processor = loaded(tiny_checkpoint(name, tmp_path, scale="medium"))
    assert 30e6 < sum(weight.numel() for weight in model.parameters()) < 70e6
    asked = [render("direct", said) for said in SAID] * 4
    found = answers(model, processor, asked, [picture(i // 2) for i in range(8)])
    assert all(ended for _, ended in found)
    assert len({text for text, _ in found}) > 1


@pytest.mark.slow
@pytest.mark.parametrize("name", SPEAKING)
def test_other_seeds_answer_as_well(tmp_path, name):
    """Nothing hangs on the one seed that everybody uses."""
    for seed in range(1, 4):
        model, processor = loaded(tiny_checkpoint(name, tmp_path / f"{name}{seed}", seed=seed))
        cells = [(question, i) for question in EVERY for i in range(8)]
        found = answers(model, processor, [CATALOGUE.prompt(q) for q, _ in cells], [picture(i) for _, i in cells])
        assert all(ended for _, ended in found)
        scored = [is_scored(text, question) for (question, _), (text, _) in zip(cells, found, strict=True)]
        assert np.mean(scored) >= 0.9
        assert len({text for text, _ in found}) >= 15
