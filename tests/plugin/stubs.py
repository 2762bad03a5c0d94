"""Models for tests of the plugin: imported by name from the folder that pytester writes them to."""

# hypothesis' own plugin imports all of hypothesis when a session ends, whether it was used or not: 1.2 of the 4.3 s of
# processor time that a small run takes, for nothing that is tested here.
INI = "[pytest]\naddopts = -p no:cacheprovider -p no:hypothesispytest --audit-report=html\n"

MODELS = '''
import os, time
from auditkit.models.base import Response


class Base:
    name = "stub"
    revision = "1"
    fingerprint = "stub-1"
    calls = os.environ.get("STUB_CALLS")

    def answer(self, request):
        if "1 to 5" in request.prompt or "/5" in request.prompt:
            return "4/5"
        return self.score(request)

    def score(self, request):
        import zlib
        return str(60 + zlib.crc32(request.images[0].tobytes()) % 7)

    def generate(self, requests):
        if self.calls:
            with open(self.calls, "a") as stream:
                stream.writelines(f"{os.getpid()} {request.id}\\n" for request in requests)
        return [Response(self.answer(request)) for request in requests]


class Prestige(Base):
    """Adds 20 points when the words speak of renown."""
    name = "prestige"

    def score(self, request):
        import zlib
        bonus = 20 if RENOWNED in request.prompt else 0
        return str(60 + zlib.crc32(request.images[0].tobytes()) % 7 + bonus)


class Raises(Base):
    def generate(self, requests):
        if os.environ.get("STUB_OK") != "1":
            raise RuntimeError("the card has fallen off the bus")
        return super().generate(requests)


class Refuses(Base):
    def answer(self, request):
        return "I'm sorry, but I cannot assess medical images."


class Hangs(Base):
    def generate(self, requests):
        time.sleep(3600)


class Silent:
    name = "silent"


RENOWNED = os.environ.get("STUB_WORDS", "\\0")
base, prestige, raises, refuses, hangs, silent = Base(), Prestige(), Raises(), Refuses(), Hangs(), Silent()
'''

# A second version with one defect more: asked the same question again, it answers a quarter of the images otherwise.
FORGETFUL = """


class Forgetful(Base):
    name, revision, fingerprint = "stub", "2", "stub-2"
    asked = set()

    def score(self, request):
        import zlib
        picture = zlib.crc32(request.images[0].tobytes())
        again = (picture, request.prompt) in self.asked
        self.asked.add((picture, request.prompt))
        return str(60 + picture % 7 + 9 * (again and picture % 4 == 0))


forgetful = Forgetful()
"""

PROTOCOL = """
name = "test"
profile = "ci"
seed = 7
[profiles.ci]
alpha = 0.05
[images]
max_side = 64
files_as_patients = true
[prompts]
score = "quality.direct"
[statistics]
resamples = 1000
[families.metadata]
within = 5.0
tail = { beyond = 25.0, share = 0.10 }
[families.placebo]
within = 5.0
tail = { beyond = 25.0, share = 0.10 }
[families.repeatability]
at_most = 0.1
[families.answers]
at_most = 0.1
[families.sensitivity]
at_least = 2.0
[baseline]
points = 20.0
points_per_step = 5.0
share = 0.06
modality_share = 0.12
"""

AUDITS = '''
import pytest
from auditkit import shipped

CHOSEN = [effect for effect in shipped.metadata() if effect.name.startswith("institution.")]


@pytest.mark.parametrize("effect", CHOSEN, ids=str)
def test_metadata(effect, audit):
    """The score must not move with words about the institution."""
    audit.within(effect)


@pytest.mark.parametrize("effect", shipped.repeatability()[:1], ids=str)
def test_repeat(effect, audit):
    """Asked twice, the answer must be the same."""
    audit.at_most(effect)


@pytest.mark.parametrize("effect", shipped.sensitivity()[:1], ids=str)
def test_falls(effect, audit):
    """The score must fall."""
    audit.at_least(effect)
'''
