"""Chat templates in the manner of the true checkpoints, with their differences: where the image goes, who has a system
turn, and whether the template itself writes the token that opens a text."""

from __future__ import annotations

_CONTENT = (
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}{{ 'IMAGE' }}{% elif c['type'] == 'text' %}{{ c['text'] }}{% endif %}"
    "{% endfor %}{% endif %}"
)
_IMAGES_FIRST = (
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for c in m['content'] if c['type'] == 'image' %}{{ '<image>\n' }}{% endfor %}"
    "{% for c in m['content'] if c['type'] == 'text' %}{{ c['text'] }}{% endfor %}{% endif %}"
)


def _turns(image: str, before: str = "") -> str:
    """Every turn between ``<|im_start|>`` and ``<|im_end|>``, with the image where the content has it."""
    return (
        before + "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}" + _CONTENT.replace("IMAGE", image)
        + "{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    )  # fmt: skip


def _utterances(opening: str) -> str:
    return (
        opening + "{% for m in messages %}{{ m['role'] | capitalize }}"
        "{% if m['content'] is not string and m['content'][0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}"
        "{% endif %}" + _CONTENT.replace("IMAGE", "<image>") + "{{ '<end_of_utterance>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
    )


_SEEN = "<|vision_start|><|image_pad|><|vision_end|>"

# The system turn, where there is one, opens the user's: Gemma knows two roles only.
GEMMA3 = (
    "{{ bos_token }}{% set ns = namespace(system='') %}{% for m in messages %}{% if m['role'] == 'system' %}"
    "{% set ns.system %}" + _CONTENT.replace("IMAGE", "") + "{{ '\n\n' }}{% endset %}{% else %}"
    "{{ '<start_of_turn>' + ('model' if m['role'] == 'assistant' else m['role']) + '\n' + ns.system }}"
    "{% set ns.system = '' %}" + _CONTENT.replace("IMAGE", "<start_of_image>") + "{{ '<end_of_turn>\n' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
QWEN2_5_VL = _turns(
    _SEEN,
    "{% if messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}",
)
QWEN3_VL = _turns(_SEEN)
INTERNVL = _turns("<IMG_CONTEXT>\n")
# These two leave the opening token to the tokenizer.
VICUNA = (
    "{% for m in messages %}{% if m['role'] != 'system' %}{{ m['role'].upper() + ': ' }}{% endif %}" + _IMAGES_FIRST
    + "{{ ' ' }}{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)  # fmt: skip
MISTRAL = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ '<<SYS>>\n' }}" + _IMAGES_FIRST
    + "{{ '\n<</SYS>>\n\n' }}{% elif m['role'] == 'user' %}{{ '[INST] ' }}" + _IMAGES_FIRST
    + "{{ ' [/INST]' }}{% else %}{{ ' ' }}" + _IMAGES_FIRST + "{{ '</s> ' }}{% endif %}{% endfor %}"
)  # fmt: skip
IDEFICS3 = _utterances("<|begin_of_text|>")
SMOLVLM = _utterances("<|im_start|>")
