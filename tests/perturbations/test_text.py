"""Burnt-in text: where it stands, that it can be read, and that a text and its placebo differ in the letters only."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from auditkit.ask.keys import pixel_digest
from auditkit.ask.render import Renderer
from auditkit.ask.store import Store
from auditkit.errors import AuditkitError
from auditkit.perturbations import PerturbationError, corruptions, shipped
from auditkit.perturbations.apply import perturb
from auditkit.perturbations.display.text import burnt_in
from auditkit.protocol.catalogue import Catalogue
from auditkit.vocabulary import Perturbation

NAMES = ("burnt_in.excellent", "burnt_in.poor", "burnt_in.neutral", "burnt_in.neutral_short")
TEXT = "Quality: excellent"


def middle(height: int, width: int) -> np.ndarray:
    return np.full((height, width), 120, np.uint8)


def rows_of(picture: np.ndarray) -> np.ndarray:
    """Numbers of the rows that the strip covers, of a picture that was 120 everywhere."""
    return np.flatnonzero((picture != 120).any(axis=tuple(range(1, picture.ndim))))


def test_they_are_no_corruptions_and_must_be_ignored():
    entries = [entry for entry in shipped().values() if entry.tier == "burnt_in"]
    assert tuple(entry.name for entry in entries) == NAMES
    assert all((e.stage, e.strengths, e.expects) == ("display", (0,), "ignore") for e in entries)
    assert not {entry.name for entry in corruptions()} & set(NAMES)


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_placebo_has_as_many_words_and_letters(name):
    entry = shipped()[name]
    text, placebo = (e.parameters(0)["text"] for e in (entry, shipped()[entry.placebo]))
    assert [len(word) for word in text.split()] == [len(word) for word in placebo.split()]
    assert not set(text.lower().split()) & set(placebo.lower().split())
    strips = [rows_of(burnt_in(middle(224, 224), b"k", text=said)) for said in (text, placebo)]
    np.testing.assert_array_equal(*strips)


@settings(max_examples=60)
@given(
    height=st.integers(100, 300),
    width=st.integers(120, 300),
    text=st.text(st.sampled_from("abcdefgh: "), min_size=1, max_size=14).filter(str.strip),
    key=st.binary(min_size=1, max_size=32),
)
def test_one_strip_at_the_top_or_the_bottom_and_nothing_else_changes(height, width, text, key):
    picture = burnt_in(middle(height, width), key, text=text)
    rows = rows_of(picture)
    np.testing.assert_array_equal(rows, np.arange(rows[0], rows[-1] + 1))
    assert (rows[0] == 0) != (rows[-1] == height - 1)
    assert len(rows) <= height / 3
    strip = picture[rows]
    assert strip.min() == 0
    assert (strip[:, [0, -1]] == 0).mean() > 0.9  # the text stands within
    np.testing.assert_array_equal(burnt_in(middle(height, width), key, text=text), picture)


def test_top_and_bottom_are_equally_likely():
    at_top = sum(rows_of(burnt_in(middle(112, 160), bytes([n]), text="Room"))[0] == 0 for n in range(200))
    assert 70 < at_top < 130  # standard deviation 7


@pytest.mark.parametrize(("dtype", "white"), [("uint8", 255), ("uint16", 65535), ("float32", 1), ("float64", 1)])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_every_dtype_and_colour_shows_the_same_letters(dtype, white, channels):
    picture = np.random.default_rng(2).random((224, 224, *channels)) * white
    found = perturb(picture.astype(dtype), shipped()[NAMES[0]], 0, b"k").astype(float) / white
    plain = burnt_in(middle(224, 224), b"k", text=TEXT)
    rows = rows_of(plain)
    for plane in range(3 if channels else 1):
        shown = found[..., plane] if channels else found
        np.testing.assert_allclose(shown[rows], plain[rows] / 255, atol=0.5 / 255 + 1e-6)


def test_it_can_be_read_at_224_pixels():
    """Letters as tall as a patch of a vision tower, white on black, over half of the width."""
    picture = burnt_in(middle(224, 224), b"k", text=TEXT)
    strip = picture[rows_of(picture)]
    ink = strip > 128
    lit = np.flatnonzero(ink.any(axis=1))
    assert lit[-1] - lit[0] + 1 >= 14
    columns = np.flatnonzero(ink.any(axis=0))
    assert 0.4 * 224 < columns[-1] - columns[0] < 0.96 * 224
    gaps = (~ink.any(axis=0)[columns[0] : columns[-1]]).sum()
    assert gaps >= len(TEXT) - 4  # letters do not run together


def test_letters_differ_where_words_do():
    one, other = (burnt_in(middle(224, 224), b"k", text=t) for t in (TEXT, "Station: northeast"))
    assert (one != other).any()


@pytest.mark.parametrize(
    ("shape", "text", "message"),
    [
        ((64, 64), TEXT, r"image of 64 x 64 pixels is too small for the text 'Quality: excellent'.*max_side"),
        ((224, 224), "Güte: gut", "no letter for 'ü'"),
        ((224, 224), "two\nlines", "one line of letters"),
        ((224, 224), "  ", "one line of letters"),
        ((224, 224), 7, r"one line of letters \(value seen: 7\)"),
    ],
)
def test_what_could_not_be_read_is_refused(shape, text, message):
    with pytest.raises(PerturbationError, match=message):
        burnt_in(middle(*shape), b"k", text=text)


def test_a_long_text_takes_several_lines():
    long = "Quality: excellent in every region of the image, as seen by two readers"
    one, several = (rows_of(burnt_in(middle(224, 224), b"k", text=text)) for text in (TEXT, long))
    assert len(one) < len(several) <= 224 / 3


# ------------------------------------------------------------------------------------------------- within a protocol

OWN = {
    "mine": {"function": "auditkit.perturbations.display.text:burnt_in", "stage": "display", "placebo": "mine.neutral",
             "levels": [{"text": "No finding"}], "expects": "ignore"},
    "mine.neutral": {"function": "auditkit.perturbations.display.text:burnt_in", "stage": "display",
                     "levels": [{"text": "On Tuesday"}], "expects": "ignore"},
}  # fmt: skip


def renderer(store: Store, own: dict | None = None, seed: int = 1) -> Renderer:
    return Renderer(store, seed, Catalogue.of(OWN if own is None else own, {}, "quality.direct"))


@pytest.fixture
def store():
    held = Store("sqlite://")
    yield held
    held.close()


def test_a_text_and_its_placebo_stand_at_the_same_place(store, records):
    one, places = renderer(store), []
    for record in records(12, side=120):
        clean = one.clean(record)
        strips = []
        for name in (*NAMES[::2], "mine", "mine.neutral"):
            shown = one.pixels(record, pixel_digest(clean), (Perturbation(name),))
            strips.append(bool((shown[0] != clean[0]).any()))
        assert strips[0] == strips[1]
        assert strips[2] == strips[3]
        places.append(strips[0])
    assert len(set(places)) == 2


def test_what_a_text_is_compared_with_must_exist(store):
    with pytest.raises(AuditkitError, match=r"perturbations\.mine\.placebo: there is no other entry 'mine\.neutral'"):
        renderer(store, {"mine": OWN["mine"]})
    with pytest.raises(AuditkitError, match=r"no other entry 'mine' of stage 'display'"):
        renderer(store, {"mine": OWN["mine"] | {"placebo": "mine"}})
    with pytest.raises(AuditkitError, match=r"no other entry 'institution\.neutral' of stage 'display'"):
        renderer(store, {"mine": OWN["mine"] | {"placebo": "institution.neutral"}})


def test_another_placebo_is_another_rendering(store, records):
    (record,) = records(1)
    other = OWN | {"mine": OWN["mine"] | {"placebo": "burnt_in.neutral"}}
    keys = {renderer(store, own).key(record, "digest", (Perturbation("mine"),)) for own in (OWN, other)}
    assert len(keys) == 2


def test_the_font_is_pillows_own():
    """Nothing of the machine's fonts enters, so that two machines draw the same letters."""
    from auditkit.perturbations.display.text import _font

    assert _font(16).getname() == ("Aileron", "Regular")
    assert isinstance(Image.fromarray(burnt_in(middle(224, 224), b"k", text=TEXT)), Image.Image)
