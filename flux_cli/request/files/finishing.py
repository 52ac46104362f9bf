"""Explains how files are made of an image: which pixels they have, and how they get them. Pure."""

from __future__ import annotations

from flux_cli.core.ratio import shape_text
from flux_cli.core.request import Note
from flux_cli.images.outputs import SLIGHT, Frame, frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.images.finish import Finish


def explain(finish: Finish, width: int, height: int) -> tuple[Note, ...]:
    """Notes on how an image of this size (in pixels) is finished.

    Raises UsageError if it would be enlarged without --upscale.
    """
    notes = []
    all_frames = frames(finish, width, height)
    target = finish.target
    exact = (target.width, target.height) if target and target.is_pixels else (width, height)
    if not finish.resizes and exact != (width, height):
        received = f"{width}x{height}"
        wanted = f"{exact[0]:.0f}x{exact[1]:.0f}"
        reason = f"the image will be {received}; --fit cover makes it exactly {wanted}"
        notes.append(Note("fit", "none", received, "passthrough", reason, warning=True))
    own_option = ("fit", finish.fit)
    if target and target.is_open:
        own_option = ("size", shape_text(target))
    for frame in all_frames:
        if finish.resizes or frame.label:
            parameter, asked = ("width", frame.label) if frame.label else own_option
            used = f"{frame.width}x{frame.height}"
            reason = _steps(frame, width, height, finish.focus)
            notes.append(Note(parameter, asked, used, "emulated", reason))
    return tuple(notes)


def explain_side(finish: Finish) -> tuple[Note, ...]:
    """A note on a size with one side, if nobody knows the size of the image."""
    if not finish.target or not finish.target.is_open:
        return ()
    size = shape_text(finish.target)
    reason = "the saved image is resized, in proportion"
    return (Note("size", size, size, "emulated", reason),)


def _steps(frame: Frame, width: int, height: int, focus: str) -> str:
    """The steps in words: `from 2752x1536: 20.0 % of the width cropped (center), scaled by 0.4`."""
    steps = []
    kept_width, kept_height = frame.window
    for axis, whole, kept in (("width", width, kept_width), ("height", height, kept_height)):
        if whole - kept > SLIGHT:
            steps.append(f"{100 * (whole - kept) / whole:.1f} % of the {axis} cropped ({focus})")
    across, down = frame.shown[0] / kept_width, frame.shown[1] / kept_height
    if abs(across / down - 1) > 1 / min(frame.shown):
        scales = f"{across:.3f} in width and {down:.3f} in height"
        steps.append(f"scaled by {scales}, which changes its shape")
    elif abs(frame.scale - 1) > SLIGHT:
        steps.append(f"scaled by {frame.scale:.3f}")
    if frame.shown != (frame.width, frame.height):
        steps.append("borders added")
    return f"from {width}x{height}: {', '.join(steps) or 'as it is'}"
