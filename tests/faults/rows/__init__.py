"""The rows of the matrix, by the place of the fault."""

from faults.row import Row
from faults.rows import (
    bodies,
    build,
    hostile,
    jobs,
    machine,
    many,
    media,
    owners,
    shapes,
    statuses,
    wire,
)

GROUPS: dict[str, tuple[Row, ...]] = {
    "The connection": wire.CONNECTING,
    "Responses that break off": wire.CUTS,
    "Lengths, chunks and headers": wire.FRAMING,
    "Time": wire.TIME,
    "Content codings": wire.CODINGS,
    "Bodies": bodies.BODIES,
    "Base64": bodies.BASE64,
    "Shapes of answers": shapes.SHAPES,
    "Images": bodies.IMAGES,
    "Images made to take time or memory": hostile.HOSTILE,
    "Fetching an image": media.FETCHING,
    "Several images in a response": media.SEVERAL,
    "Addresses of images": media.ADDRESSES,
    "Addresses inside the private network": media.PUBLIC,
    "Dry runs": media.DRY,
    "Statuses": statuses.STATUSES,
    "Waiting": statuses.WAITING,
    "Jobs": jobs.JOBS,
    "Many requests": many.MANY,
    "Sets of images": build.BUILDS,
    "The disk": machine.DISK,
    "Streams": machine.STREAMS,
    "Signals": machine.SIGNALS,
    "Proxies and certificates": machine.PROXIES,
    "Settings of projects": owners.PROJECTS,
    "Files with keys": owners.KEY_FILES,
    "Links of other users": owners.LINKS,
}
ROWS = tuple(row for rows in GROUPS.values() for row in rows)
