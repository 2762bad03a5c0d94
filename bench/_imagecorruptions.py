"""The other side of `bench.corruptions`: runs in the peer's own environment, answers one JSON line per JSON line.

Imports nothing of auditkit. Requests name a ``.npy`` file; ``time`` answers the CPU seconds of one call,
``values`` saves the peer's result before it cuts it to whole numbers.
"""

import json
import os
import sys
import time
import warnings

warnings.simplefilter("ignore")

import numpy as np  # noqa: E402
from imagecorruptions import corrupt, corruptions  # noqa: E402
from PIL import Image  # noqa: E402


def answer(request):
    image = np.load(request["image"])
    if request["do"] == "time":
        start = time.process_time()
        corrupt(image, corruption_name=request["name"], severity=request["severity"])
        return {"seconds": time.process_time() - start}
    if request["do"] == "motion":
        values = corruptions._motion_blur(image, request["radius"], request["sd"], request["angle"])
    else:
        colour = image if image.ndim == 3 else np.dstack([image] * 3)
        np.random.seed(request["severity"])  # noqa: NPY002 - what the peer draws from
        values = getattr(corruptions, request["name"])(Image.fromarray(colour), request["severity"])
    np.save(request["out"], np.asarray(values, dtype=np.float64))
    return {}


if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {int(sys.argv[1])})
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
