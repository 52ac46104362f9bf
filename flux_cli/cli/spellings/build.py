"""How the options that only `flux build` has are spelled."""

from flux_cli.cli.spellings.spelling import Spelling

# What is built, and what is decided about it.
PLAN = {
    "plan": Spelling("--plan", "", "Show what would be done, why, and the cost; change nothing"),
    "check": Spelling("--check", "", "Check that images and lock are as the manifest says"),
    "init": Spelling("--init", "", "Write a first manifest from the images of this folder"),
    "report": Spelling("--report", "FILE", "Write a page with old and new images: report.html"),
    "only": Spelling("--only", "GLOB", "Only assets with such names; repeatable"),
    "exclude": Spelling("--exclude", "GLOB", "No assets with such names; repeatable"),
    "partial": Spelling("--partial", "", "Make what the limit allows, in manifest order"),
    "pick": Spelling("--pick", "NAME=N", "Pick candidate N of an image; repeatable"),
    "reroll": Spelling("--reroll", "NAME", "Request an image again; repeatable"),
    "adopt": Spelling(
        "--adopt", "NAME", "Accept existing files as what the manifest means; repeatable"
    ),
    "prune": Spelling("--prune", "", "Delete unedited files that the manifest no longer names"),
    "prune_originals": Spelling(
        "--prune-originals", "", "Delete originals that the lock does not need"
    ),
}
# How several machines build together.
MACHINES = {
    "shard": Spelling(
        "--shard", "I/N", "Build only part I of N; auto reads the variables of a job array"
    ),
    "store": Spelling(
        "--store", "URL", "Share originals and claims of requests in a store [env: FLUX_STORE]"
    ),
    "ledger": Spelling(
        "--ledger", "DIR", "Build the assets of a JSONL file, and record them in this folder"
    ),
    "on": Spelling(
        "--on", "ENGINE", "Build on the workers of dask://HOST:8786, or of this machine with dask"
    ),
    "merge": Spelling("--merge", "", "Write the parts of shards, PART.lock…, into the lock"),
}
