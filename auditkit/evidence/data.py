"""What the model was shown: the items, how they spread, and thumbnails of some."""

from __future__ import annotations

from auditkit.evidence.values import Number, Record


class Example(Record):
    """A thumbnail: one item, clean or perturbed, as it was given to the model."""

    item: str
    modality: str
    synthetic: bool
    perturbation: str = ""
    """Name in the catalogue; empty for the item as it is."""
    level: int = 0
    """1 to the perturbation's levels; 0 for the item as it is, or where a perturbation has one strength only."""
    ssim: Number = None
    psnr: Number = None
    score: Number = None
    """Score the model gave to this picture."""
    jpeg: str
    """Base64 of a small JPEG."""


class ModalityCount(Record):
    """One modality of the data."""

    modality: str
    n_images: int
    n_clusters: int
    n_synthetic: int
    """Images that are procedural phantoms."""


class Level(Record):
    """One level of an attribute of the patients or of how their images were taken."""

    name: str
    """``F``, ``18-39``, ``unknown``."""
    n_images: int
    n_clusters: int


class LeftOutEntry(Record):
    """A file that could not be used, and why."""

    name: str
    reason: str


class NotAsked(Record):
    """Tasks that some images were not asked, for one reason."""

    tasks: list[str]
    why: str
    n: int
    """Images."""


class Data(Record):
    """What the model was shown."""

    source: str
    n_images: int
    n_clusters: int
    modalities: list[ModalityCount]
    n_without_picture: int = 0
    """Items that have no picture, counted among the images."""
    synthetic_share: Number
    """Share of the images that are synthetic, 0-1."""
    sources: dict[str, int] = {}
    """Images per origin."""
    licences: dict[str, int] = {}
    """Images per licence."""
    left_out: list[LeftOutEntry] = []
    """Entries that were not used; at most 200 are listed."""
    n_left_out: int = 0
    units: dict[str, int] = {}
    """Images by what stands for their patient: ``patient``, ``study``, ``series``, ``file``."""
    notes: dict[str, int] = {}
    """What the reader decided or could not tell -> number of images."""
    unread_columns: dict[str, str] = {}
    """Columns of the manifest that are not read -> the column that was perhaps meant, or nothing."""
    not_asked: list[NotAsked] = []
    """What images were not asked, because they lack what it takes: a right answer, a second picture."""
    notice: str = ""
    """What readers must know of the data, such as that they are for demonstration."""
    limited_to: int | None = None
    """Set when ``--audit-limit`` took a subset of the patients."""
    sha256: str = ""
    """Over the content addresses of all images used, and of the changed pictures that the data hold of them."""
    strata: dict[str, list[Level]] = {}
    """Images and patients per level of sex, age, site, manufacturer; ``unknown`` is a level."""


class Unscored(Record):
    """The answers that ended in one way without a score, with the first of them."""

    outcome: str
    n: int
    question: str = ""
    """Task and wording of the first: ``quality.direct``; empty for errors."""
    role: str = "model"
    """Who answered."""
    why: str = ""
    """Why the first has no score; of errors the commonest reason, in the model's or the server's own words."""
    remedy: str = ""
    """Of errors: whether it can help to run again, as far as that is known."""
    text: str = ""
    """The first's text, at most 300 characters of it; signs that are obeyed and not shown are written out."""
