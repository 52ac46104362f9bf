"""Plans JSON lines one at a time: line, asset, row of the ledger, step."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from flux_cli.build.manifest.files import Folder
from flux_cli.build.planning.asset import Planner
from flux_cli.build.planning.cost import Priced
from flux_cli.build.planning.plan import check_reroll
from flux_cli.build.planning.steps import SAME, Step, Wishes
from flux_cli.build.pricing import Catalog
from flux_cli.build.stream.ledger import files_in, state_of
from flux_cli.build.stream.lines import Line, LineReader, lines_of
from flux_cli.core.errors import ManifestError
from flux_cli.request.styles import keys
from flux_cli.request.styles.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from flux_cli.build.lock.rows import Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.options import BuildOptions
    from flux_cli.build.stream.elsewhere import Elsewhere
    from flux_cli.build.stream.index import Index
    from flux_cli.config.load import Settings
    from flux_cli.core.request import Note

ROOT = "."  # paths of lines start at the working folder, as options do
MOST_RESOLVED = 10_000  # requests whose meaning is remembered


class Patterns:
    """Names and patterns of names, as a collection of all names that match one."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns

    def __contains__(self, name: object) -> bool:
        return any(fnmatchcase(str(name), pattern) for pattern in self._patterns)

    def __bool__(self) -> bool:
        return bool(self._patterns)


class Plans:
    """The plan of one file of lines against one ledger."""

    def __init__(
        self,
        path: str,
        file: BinaryIO,
        index: Index,
        options: BuildOptions,
        settings: Settings,
        elsewhere: Elsewhere,
    ) -> None:
        """Raises ManifestError for options that cannot be keys."""
        defaults = read_table(options.images.given, keys.DEFAULTS_KEYS, "options")
        self.path, self._file, self._index, self._settings = path, file, index, settings
        self.elsewhere = elsewhere
        self._reader = LineReader(defaults, Folder(""), path, elsewhere.address)
        self._only = Patterns(options.selection.only or [])
        self._exclude = Patterns(options.selection.exclude or [])
        self._reroll = Patterns(options.decisions.reroll or [])
        self._verifies = options.mode.check
        self._files = elsewhere.files(verifies=self._verifies)
        self.catalog = Catalog(settings)
        self.notes: dict[Note, None] = {}
        self._resolved = 0
        self.wishes = Wishes(
            overwrite=options.decisions.overwrite,
            offline=options.access.offline,
            reroll=self._reroll,  # type: ignore[arg-type] # only asked for names
            may_adopt=False,
        )
        self._planner = Planner(self._files, self.wishes, self._resolve)

    def lines(self) -> Iterator[Line]:
        """All lines, from the first on."""
        self._file.seek(0)
        return lines_of(self._file)

    def line_at(self, number: int, place: int) -> Line:
        """The line of a number, at its place."""
        self._file.seek(place)
        return next(lines_of(self._file, number - 1))

    def asset(self, line: Line) -> Asset:
        """The asset of a line. Raises UsageError."""
        return self._reader.asset(line)

    def is_selected(self, asset: Asset) -> bool:
        if self._only and asset.name not in self._only:
            return False
        return asset.name not in self._exclude

    def first_step(self, line: Line, asset: Asset) -> Step:
        """The step of a line that is seen for the first time. Raises UsageError.

        No two lines have one name, and no two of those with work to do write one file.
        """
        known, was_seen = self._index.see(asset.name)
        if was_seen:
            message = f"{self.path}, line {line.number}: {asset.name} is the name of another line"
            raise ManifestError(message, hint="names are the IDs of images: each needs its own")
        is_rerolled = asset.name in self._reroll
        if known and not is_rerolled and self._is_same(asset, known.place.state):
            return Step(SAME, asset.name, asset.group, "", asset=asset, was=asset.name)
        row = self._index.read(known) if known else None
        if is_rerolled:
            check_reroll(asset, row)
        step = self._plan(asset, row)
        for path in step.make or (new for _, new in step.moves):
            if not self._index.claim(path):
                message = f"{self.path}, line {line.number}: another line writes {path}, too"
                raise ManifestError(message, hint="tell them apart with {name} in -o")
        return step

    def _is_same(self, asset: Asset, state: str) -> bool:
        """Whether an asset is plainly unchanged, without a look at its row: most are."""
        if self._verifies or not state.startswith(asset.request):
            return False
        if self.elsewhere.address:
            if self.elsewhere.overwrite:
                return False
            self._files.trust(files_in(state))
        found = [(path, output, self._files.size(path)) for path, output in asset.files.items()]
        for path, *_ in found:
            self._files.forget(path)
        return state_of(asset.request, sorted(found)) == state

    def step(self, asset: Asset) -> Step:
        """The step of an asset that was seen before. Raises UsageError."""
        return self._plan(asset, self._index.row(asset.name))

    def priced(self, step: Step) -> Priced:
        """The step with the price of its request. Raises UsageError."""
        price = self.catalog.price(step.wanted, ROOT) if step.is_requested else 0.0
        return Priced(step, price)

    def _plan(self, asset: Asset, row: Row | None) -> Step:
        if row and self.elsewhere.sharing:
            row = self.elsewhere.sharing.settled(asset, row)
        self._files.trust(row.files if row else {})
        step = self._planner.plan(asset, row, asset.name)
        for path in (*asset.files, *(row.files if row else ())):
            self._files.forget(path)
        return step

    def _resolve(self, asset: Asset) -> str:
        self._resolved += 1
        if self._resolved % MOST_RESOLVED == 0:
            self.notes |= self.catalog.notes
            self.catalog = Catalog(self._settings)
        return self.catalog.resolve(asset)
