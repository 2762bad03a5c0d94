"""Models that answer by the mean grey of a picture: fair, fallen for a sentence, and shy of one scanner."""

import zlib

import numpy as np

from auditkit import Response

RENOWNED = "night shift"


class Fair:
    """Reads nothing but the pixels."""

    name = "ward-fair"
    revision = "1"
    fingerprint = "ward-1"

    def generate(self, requests):
        """Answer every request."""
        return [Response(self.answer(request)) for request in requests]

    def answer(self, request):
        """Say a number, or stars where stars are asked for."""
        pixels = np.asarray(request.images[0])
        # A little that has nothing to do with quality, as real models have it.
        points = pixels.mean() / 2.55 + zlib.crc32(f"{self.name} {request.prompt}".encode() + pixels.tobytes()) % 5 - 2
        points = min(max(points + self.bonus(request), 0), 100)
        if "stars" in request.prompt:
            return f"{points / 20:.1f} stars, 80 % sure"
        return f"{points:.0f}"

    def bonus(self, request):
        """Nothing for words."""
        return 0


class Gullible(Fair):
    """Gives more when the words speak of the night shift."""

    name = "ward-gullible"
    fingerprint = "ward-2"

    def bonus(self, request):
        """Twenty points for a sentence."""
        return 20 if RENOWNED in request.prompt else 0


class Shy(Fair):
    """Refuses the brighter half of the pictures."""

    name = "ward-shy"
    fingerprint = "ward-3"

    def answer(self, request):
        """Refuse, or answer as the others do."""
        refused = "I'm sorry, but I cannot assess medical images."
        return refused if np.asarray(request.images[0])[0, 0] >= 185 else super().answer(request)


MODELS = {model.name: model for model in (Fair(), Gullible(), Shy())}
