"""What came becomes files: verified, in the format asked, saved, and each step written into the ledger.

A picture that arrives here is paid for: whatever fails, its bytes are on the disk, and the person is told where.
"""

import asyncio
import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from flux_cli.core.containers import inspect
from flux_cli.core.errors import DiskError, FluxError, PictureError
from flux_cli.core.formats import split_suffix
from flux_cli.core.naming import Name
from flux_cli.core.request import Call, Facts, Media, Picture, Reply, Resolved, Saved


class Sink(Protocol):
    """Where finished pictures go."""

    def save(self, name: Name, picture: Picture, extra: int = 0, *, fresh: bool = False) -> str:
        """Save one picture and return its path. Raises DiskError."""


class Ledger(Protocol):
    """Where every step that money depends on is written down, before the next one."""

    def headers(self, call: Call) -> dict[str, str]: ...
    def sent(self, call: Call) -> None: ...
    def answered(self, call: Call, reply: Reply) -> None: ...
    def fetched(self, call: Call, media: Sequence[Media]) -> None: ...
    def saved(self, call: Call, media: Media, saved: Saved) -> None: ...
    def whole(self, call: Call, media: Sequence[Media]) -> None: ...
    def failed(self, call: Call, error: FluxError, *, final: bool = False, code: str = "") -> None: ...
    def sync(self) -> None: ...

    def recovery(self, media: Media | None = None) -> str:
        """What the person can do about a paid picture that is not where it should be."""


class Desk:
    """Where pictures of one run are finished."""

    def __init__(self, resolved: Resolved, sink: Sink, ledger: Ledger) -> None:
        self._resolved, self._sink, self._ledger = resolved, sink, ledger
        self._room = asyncio.Semaphore(os.cpu_count() or 2)

    async def keep(self, call: Call, name: Name, media: Media, extra: int, saved: list[Saved]) -> None:
        """Finish and save one picture. Only as many as there are cores are in memory at any time."""
        before = len(saved)
        try:
            async with self._room:
                picture = await self._finished(media, name, extra, saved)
                await self._save(name, picture, extra, media, saved)
        except asyncio.CancelledError:
            if len(saved) == before:
                self._as_received(media, name, extra, saved)
            raise
        finally:
            for one in saved[before:]:
                self._ledger.saved(call, media, one)

    async def _finished(self, media: Media, name: Name, extra: int, saved: list[Saved]) -> Picture:
        """The picture in the format asked. If that cannot be had any more, the bytes are saved as they came.

        They are paid for.
        """
        wanted, quality = self._resolved.format, self._resolved.quality
        try:
            return await asyncio.to_thread(finish, media.file, wanted, quality)
        except PictureError as fault:
            if fault.billed:
                raise
            path = self._as_received(media, name, extra, saved)
            fault.hint = f"saved as received: {path}" if path else self._ledger.recovery(media)
            raise

    def _as_received(self, media: Media, name: Name, extra: int, saved: list[Saved]) -> str:
        """Save here and now, without a thread: they may all be encoding. Returns the path, "" where that cannot be."""
        with contextlib.suppress(FluxError):
            picture = finish(media.file, None, None)
            kept = name._replace(template=f"{split_suffix(name.template)[0]}.{{ext}}")
            path = self._sink.save(kept, picture, extra, fresh=True)
            saved.append(_saved(path, picture, media.facts))
            return path
        return ""

    async def _save(self, name: Name, picture: Picture, extra: int, media: Media, saved: list[Saved]) -> None:
        """Save in a thread, so that other pictures keep coming; a Ctrl-C waits for the few milliseconds it takes."""
        saving = asyncio.ensure_future(asyncio.to_thread(self._sink.save, name, picture, extra))
        try:
            path = await asyncio.shield(saving)
        except asyncio.CancelledError:
            while not saving.done():  # however often the person asks: a second copy would be made of what is there
                with contextlib.suppress(asyncio.CancelledError, FluxError):
                    await asyncio.shield(saving)
            if saving.exception() is None:
                saved.append(_saved(saving.result(), picture, media.facts))
            raise
        except DiskError as fault:
            fault.billed, fault.hint = True, fault.hint or self._ledger.recovery(media)
            raise
        saved.append(_saved(path, picture, media.facts))


def finish(file: str, wanted: str | None, quality: int | None) -> Picture:
    """The picture in a file, in the format wanted (None: as it is). Raises PictureError, billed where it is damaged."""
    try:
        data = Path(file).read_bytes()
        look = inspect(data)
    except PictureError as fault:
        fault.billed = True
        raise
    except OSError as fault:
        raise DiskError(f"the picture that arrived cannot be read: {fault.strerror}", billed=True) from fault
    if wanted in (None, look.format):
        return Picture(data, look.format, look.width, look.height, as_received=True)
    from flux_cli import imaging  # Pillow costs more than everything before it; most pictures need none of it

    return imaging.convert(data, wanted or "", quality)


def described(saved: Saved) -> str:
    """A picture in a few words: pixels, format and size on disk."""
    return f"{saved.width}x{saved.height} {saved.format}, {saved.size / 1000:,.0f} kB"


def _saved(path: str, picture: Picture, facts: Facts) -> Saved:
    return Saved(path, picture.format, picture.width, picture.height, len(picture.data), picture.as_received, facts)
