"""Plans in tests: a disk in memory, and a build that carries out the steps on it."""

from hashlib import sha256

from manifests import assets_of

from flux_cli.build.candidates.following import put_row
from flux_cli.build.candidates.picks import picked
from flux_cli.build.lock.rows import File, Original
from flux_cli.build.planning.outcome import Made, row_after
from flux_cli.build.planning.plan import plan_assets
from flux_cli.build.planning.steps import ORPHAN, PAID, Wishes
from flux_cli.build.resolution import image_digest, resolve_asset
from flux_cli.catalog.find import find_model


class MemoryDisk:
    """Files as texts by path, and the names of originals."""

    def __init__(self, files=None, originals=()):
        self.files, self.originals = dict(files or {}), set(originals)
        self.hashed = 0

    def exists(self, path):
        return path in self.files

    def holds(self, path, file):
        return path in self.files and len(self.files[path]) == file.bytes

    def equals(self, path, file):
        self.hashed += 1
        return path in self.files and digest(self.files[path]) == file.sha256

    def can_move(self, _old, _new):
        return True

    def has_original(self, original):
        return original.name in self.originals


def digest(text):
    return sha256(text.encode()).hexdigest()


def resolve(asset):
    model = find_model(str(asset.settings.parameters["model"]))
    return image_digest(resolve_asset(asset, model, asset.name))


class Project:
    """A manifest with its lock and its disk, in memory."""

    def __init__(self, text, files=None):
        self.text, self.files = text, files or {}
        self.rows, self.disk = {}, MemoryDisk()
        self.requests = []
        self.images = {}  # the request that brought each image

    def replace(self, old, new, count=-1):
        assert old in self.text
        self.text = self.text.replace(old, new, count)

    def steps(self, **wishes):
        assets = assets_of(self.text, self.files)
        return plan_assets(assets, dict(self.rows), self.disk, Wishes(**wishes), resolve)

    def plan(self, **wishes):
        """The sign and reason of each step that is not `=` without a change."""
        return {
            (step.name, step.sign): step.reason
            for step in self.steps(**wishes)
            if not step.is_unchanged
        }

    def build(self, *, prune=False, **wishes):
        """Carry out a plan, and return the names of the assets that were requested."""
        steps = self.steps(**wishes)
        requested = [step.name for step in steps if step.is_requested]
        planned = dict(self.rows)
        for step in sorted(steps, key=lambda step: bool(step.twin) and step.sign in PAID):
            if step.sign == ORPHAN and prune:
                self.prune(step)
            elif step.sign != ORPHAN and not step.is_open:
                rows = self.rows if step.sign in PAID else planned
                self.carry_out(step, rows, is_offline=wishes.get("offline", False))
        self.requests += requested
        return [] if wishes.get("offline") else requested

    def carry_out(self, step, rows, *, is_offline):
        for old, new in step.moves:
            if old in self.disk.files:
                self.disk.files[new] = self.disk.files.pop(old)
        made = self.make(step, self.image_of(step, rows), is_offline)
        row = row_after(step._replace(resolved=resolve(step.asset)), made)
        put_row(self.rows, step.was, step.name, row)

    def image_of(self, step, rows):
        """The digest of the image from which the files of a step are made."""
        if step.is_requested:
            image = digest(f"{step.asset.request} {len(self.requests)} {step.name}")
            self.images[image] = step.asset.request
            return image
        row = rows[step.twin] if step.twin else step.row
        image = row.original.sha256 if row and row.original else ""
        is_own = not step.twin or step.keeps_pick
        assert is_own or self.images[image] == step.asset.request, step
        return image

    def make(self, step, image, is_offline):
        made = {}
        for path in (*step.make, *step.adopted):
            if path not in step.adopted:
                self.disk.files[path] = f"{path} {step.asset.files[path]} from {image}"
            text = self.disk.files[path]
            made[path] = File(step.asset.files[path], digest(text), len(text))
        if not step.is_requested and not step.twin:
            original = None
            if step.adopted:
                original = Original(digest(made[step.adopted[0]].sha256), 9, 64, 64, "png")
                if not (step.row and step.row.original):
                    self.disk.originals.add(original.name)
            return Made(made, original)
        original = Original(image, 9, 64, 64, "png")
        self.disk.originals.add(original.name)
        return Made(made, original, {"run": "r"}, is_placeholder=is_offline)

    def pick(self, **picks):
        """What `--pick` changes before the plan is made."""
        assets = assets_of(self.text, self.files)
        self.rows = picked(assets, self.rows, picks, self.disk, resolve)

    def prune(self, step):
        row = self.rows[step.was]
        for path in step.orphans:
            if self.disk.equals(path, row.files[path]):
                del self.disk.files[path]
        left = {path: file for path, file in row.files.items() if path in self.disk.files}
        if step.group:
            self.rows[step.was] = row._replace(files=left)
        elif not left:
            del self.rows[step.was]
