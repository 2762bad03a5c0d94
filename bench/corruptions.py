"""The seven ImageNet-C corruptions of auditkit and of imagecorruptions: speed, and how far apart the results are.

Both sides take turns, call by call, on the same core and the same images; the times are CPU times of one call with
8-bit pixels in and out, the best of `REPEATS`. The peer gets a virtual environment of its own, made once in the
temporary folder, because it needs an old setuptools.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.perturbations import SEVERITIES, shipped
from auditkit.perturbations.apply import perturb, perturbation_key
from auditkit.perturbations.display.blur import average_of_shifts, line_taps
from auditkit.perturbations.dose import dose

PEER = "imagecorruptions==1.1.2"
NAMES = ("gaussian_noise", "impulse_noise", "motion_blur", "zoom_blur", "brightness", "contrast", "pixelate")
SIDES = (224, 512)
REPEATS = 3
ANGLE = 23.0  # of the motion blur whose pixels are compared; times are taken at angles drawn at random


def main() -> None:
    """Print a table per image size and kind, the differences of the results, and the cost of the measured dose."""
    core = _pin()
    with tempfile.TemporaryDirectory() as folder, Peer(core, Path(folder)) as peer:
        print(
            f"auditkit and {PEER}, one core, CPU time, best of n = {REPEATS} calls taken in turns, uint8 in and out.\n"
            f"Python {platform.python_version()}, NumPy {np.__version__}, {_processor()}.\n"
        )
        for side in SIDES:
            for kind, image in (("RGB", phantom(side)), ("grey", phantom(side)[..., 0].copy())):
                _print_times(peer, f"{side} px {kind}", image)
        _print_differences(peer, phantom(SIDES[0]))
        _print_dose()


def phantom(side: int) -> NDArray[np.uint8]:
    """Return a textured colour image with a dark surround; the channels differ, so that it is not taken for grey."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    body = (x / 0.8) ** 2 + (y / 0.9) ** 2 < 1
    grain = np.random.default_rng(1).normal(0, 0.06, (side, side, 3))
    shades = np.stack([0.6 + 0.2 * np.cos(9 * x * y), 0.4 + 0.2 * np.sin(14 * x), 0.25 + 0.1 * y], axis=2)
    return np.rint(255 * np.clip(body[..., None] * (shades + grain), 0, 1)).astype(np.uint8)


def _print_times(peer: Peer, title: str, image: NDArray[np.uint8]) -> None:
    print(f"| {title}, images/s over severities 1-5 | imagecorruptions | auditkit | ratio |\n|---|---|---|---|")
    peer.give(image)
    totals = np.zeros(2)
    for name in NAMES:
        seconds = np.zeros(2)
        for severity in SEVERITIES:
            key = perturbation_key(title, name, severity, 0)
            perturb(image, shipped()[name], severity, key)  # fills the tables, as after the first image of a run
            taken = []
            for _ in range(REPEATS):
                theirs = float(peer.ask(do="time", name=name, severity=severity)["seconds"])
                start = time.process_time()
                perturb(image, shipped()[name], severity, key)
                taken.append((theirs, time.process_time() - start))
            seconds += np.min(taken, axis=0)
        totals += seconds
        print(_row(name, seconds))
    print(_row("**all seven**", totals), end="\n\n")


def _row(label: str, seconds: NDArray[np.float64]) -> str:
    theirs, ours = len(SEVERITIES) / seconds if label in NAMES else len(SEVERITIES) * len(NAMES) / seconds
    return f"| {label} | {theirs:,.0f} | {ours:,.0f} | {ours / theirs:.1f} |"


def _print_differences(peer: Peer, image: NDArray[np.uint8]) -> None:
    print(
        "Differences in grey levels over severities 1-5. The peer's `corrupt` cuts its floats to whole numbers,\n"
        "auditkit rounds; so the peer's floats are rounded here (like with like), and cut in the third column.\n"
        "Motion blur is compared without auditkit's centring, at one angle.\n"
    )
    print("| corruption | largest difference, both rounded | largest, peer cut | share of equal values, both rounded |")
    print("|---|---|---|---|")
    peer.give(image)
    for name in ("motion_blur", "zoom_blur", "brightness", "contrast", "pixelate"):
        rounded, cut, equal = [], [], []
        for severity in SEVERITIES:
            ours = _law_of_the_peer(image, name, severity).astype(int)
            theirs = np.clip(_values_of_the_peer(peer, name, severity), 0, 255)
            rounded.append(np.abs(ours - np.rint(theirs)).max())
            cut.append(np.abs(ours - np.floor(theirs)).max())
            equal.append((ours == np.rint(theirs)).mean())
        print(f"| {name} | {max(rounded):.0f} | {max(cut):.0f} | {100 * np.mean(equal):.2f} % |")
    print("\n| noise | severity | mean: peer | auditkit | standard deviation of the change: peer | auditkit |")
    print("|---|---|---|---|---|---|")
    for name in ("gaussian_noise", "impulse_noise"):
        for severity in SEVERITIES:
            theirs = np.rint(_values_of_the_peer(peer, name, severity))
            key = perturbation_key("bench", name, severity, 0)
            ours = perturb(image, shipped()[name], severity, key).astype(float)
            spread = [(values - image).std() for values in (theirs, ours)]
            print(
                f"| {name} | {severity} | {theirs.mean():.2f} | {ours.mean():.2f} | {spread[0]:.2f} | {spread[1]:.2f} |"
            )
    print()


def _law_of_the_peer(image: NDArray[np.uint8], name: str, severity: int) -> NDArray[np.uint8]:
    if name != "motion_blur":
        return perturb(image, shipped()[name], severity, b"")
    level = shipped()[name].parameters(severity)
    return average_of_shifts(image, line_taps(int(level["radius"]), level["sd"], ANGLE))


def _values_of_the_peer(peer: Peer, name: str, severity: int) -> NDArray[np.float64]:
    if name == "motion_blur":
        return peer.values(do="motion", angle=ANGLE, **shipped()[name].parameters(severity))
    return peer.values(do="values", name=name, severity=severity)


def _print_dose() -> None:
    print("| measured dose (SSIM and PSNR), ms per image | RGB | grey |\n|---|---|---|")
    for side in SIDES:
        best = []
        for image in (phantom(side), phantom(side)[..., 0].copy()):
            rendered = perturb(image, shipped()["gaussian_noise"], 1, b"bench")
            times = []
            for _ in range(10 * REPEATS):
                start = time.process_time()
                dose(image, rendered)
                times.append(time.process_time() - start)
            best.append(1000 * min(times))
        print(f"| {side} px | {best[0]:.1f} | {best[1]:.1f} |")


class Peer:
    """The peer package in its own process and its own environment; images go over as files, the rest as JSON lines."""

    def __init__(self, core: int, folder: Path) -> None:
        self._image, self._out = folder / "image.npy", folder / "out.npy"
        script = Path(__file__).with_name("_imagecorruptions.py")
        self._process = subprocess.Popen(
            [_environment(), str(script), str(core)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def give(self, image: NDArray[np.uint8]) -> None:
        """Set the image that the next requests are about."""
        np.save(self._image, image)

    def ask(self, **request: object) -> dict[str, Any]:
        """Send one request and wait for its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"image": str(self._image), **request}) + "\n")
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{PEER} ended on {request}; what it printed is above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def values(self, **request: object) -> NDArray[np.float64]:
        """Return the peer's result before it is cut to whole numbers."""
        self.ask(out=str(self._out), **request)
        values: NDArray[np.float64] = np.load(self._out)
        return values


def _environment() -> str:
    """Return the path of a Python that has the peer; made once, in half a minute, and kept in the temporary folder."""
    version = f"py{sys.version_info.major}{sys.version_info.minor}"
    home = (
        Path(tempfile.gettempdir()) / "auditkit-bench" / f"{PEER.replace('==', '-')}-{version}-numpy-{np.__version__}"
    )
    python = home / "bin" / "python"
    done = home / "installed"
    if not done.exists():
        print(f"Installing {PEER} once, for this and later runs.", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        wanted = ["setuptools<81", PEER, f"numpy=={np.__version__}"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted], check=True)
        done.touch()
    return str(python)


def _pin() -> int:
    """Keep this process on one core, the last of those it may use, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        return 0
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
