"""Reads the form of an edit. Its files go into a folder."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.datastructures import UploadFile

from flux_cli.serve.answering.refusals import Refusal
from flux_cli.serve.asking import uploads
from flux_cli.serve.asking.asked import read_asked, read_fields

if TYPE_CHECKING:
    from starlette.requests import Request

    from flux_cli.serve.asking.asked import Asked

MOST_FILES = 20  # of a form
LONGEST_FIELD = 4 << 20  # bytes of a text in a form


async def read_form(request: Request, folder: Path) -> tuple[Asked, str]:
    """What a form asks for, with its files in the folder, and what tells it from other forms."""
    texts: dict[str, str] = {}
    images: list[str] = []
    masks: list[str] = []
    digest = sha256()
    async with request.form(max_files=MOST_FILES, max_part_size=LONGEST_FIELD) as form:
        for number, (name, value) in enumerate(form.multi_items()):
            field = name.partition("[")[0]
            if isinstance(value, UploadFile):
                file = await asyncio.to_thread(
                    uploads.store, folder, number, value.filename or "", value.file
                )
                place, mark = file.path, file.digest
            else:
                place = mark = value
            digest.update(f"{field}\0{mark}\0".encode())
            if field == "image":
                images.append(uploads.check_place(place, folder))
            elif field == "mask":
                masks.append(uploads.check_place(place, folder))
            else:
                texts[field] = place
    if not images:
        raise Refusal(400, "image is missing: an edit needs one", code="missing", param="image")
    asked = read_asked(read_fields(texts))
    mask = masks[0] if masks else None
    return asked._replace(images=tuple(images), mask=mask), digest.hexdigest()
