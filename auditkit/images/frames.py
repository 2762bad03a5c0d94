"""Which frame of a DICOM object is shown, and the settings that are that frame's own."""

from __future__ import annotations

from typing import Any

from auditkit.images.elements import count

_RESCALE = ("RescaleSlope", "RescaleIntercept")
_WINDOW = ("WindowCenter", "WindowWidth")
_VOI = (*_WINDOW, "VOILUTFunction", "VOILUTSequence")


def middle(header: Any) -> tuple[int, tuple[str, ...]]:
    """Return the index of the frame that is shown, with a note where there are several."""
    frames = count(header, "NumberOfFrames", 1)
    if frames == 1:
        return 0, ()
    return frames // 2, (f"{frames} frames: number {frames // 2 + 1} is shown",)


def with_frame_settings(header: Any, frame: int) -> Any:
    """Put the frame's own rescale and window in place of the object's (PS3.3 C.7.6.16.2.9 and C.7.6.16.2.10).

    Parameters
    ----------
    header : pydicom Dataset
        Changed in place.
    frame : int
        Index of the frame, from 0. Its own group goes before the one that all frames share.
    """
    shared = header.get("SharedFunctionalGroupsSequence") or []
    per_frame = header.get("PerFrameFunctionalGroupsSequence") or []
    groups = [*(per_frame[frame : frame + 1]), *(shared[:1])]
    rescale = _first_with(groups, "PixelValueTransformationSequence", _RESCALE)
    if rescale is not None:
        _replace(header, rescale, (*_RESCALE, "ModalityLUTSequence"))
    voi = _first_with(groups, "FrameVOILUTSequence", _WINDOW) or _first_with(
        groups, "FrameVOILUTSequence", ("VOILUTSequence",)
    )
    if voi is not None:
        _replace(header, voi, _VOI)
    return header


def _first_with(groups: list[Any], sequence: str, needed: tuple[str, ...]) -> Any:
    """Return the first item of the sequence that has what is needed; an empty one must not wipe out the object's."""
    for group in groups:
        for item in (group.get(sequence) or [])[:1]:
            if all(item.get(keyword) is not None for keyword in needed):
                return item
    return None


def _replace(header: Any, item: Any, keywords: tuple[str, ...]) -> None:
    for keyword in keywords:
        if keyword in header:
            del header[keyword]
        if keyword in item:
            header[keyword] = item[keyword]
