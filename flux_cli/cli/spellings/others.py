"""How the options of other commands are spelled, where they differ from those of `generate`."""

from flux_cli.cli.spellings.spelling import Spelling
from flux_cli.images.formats import FORMATS

FORMAT_NAMES = ", ".join(FORMATS)
# Options of lookups and `flux recover`.
LOOKUP = {
    "model": Spelling("--model -m", "NAME", "Model [default: flux1.1-pro-ultra; env: FLUX_MODEL]"),
    "verbose": Spelling("--verbose -v", "", "Show the causes of errors"),
}
# Options of `flux runs prune`.
PRUNE = {"yes": Spelling("--yes -y", "", "Remove without asking")}
# Options of `flux convert`.
CONVERT = {
    "size": Spelling(
        "--size -s",
        "WxH|W:H|Wx|xH",
        "One side (320x, x300) resizes; pixels or a ratio are for --fit",
    ),
    "output": Spelling(
        "--output -o",
        "PATH",
        "File, folder/, template ('{name}-s.{avif,webp}'), or - for stdout [default: beside FILE]",
    ),
    "output_format": Spelling(
        "--output-format --format -f",
        "FORMAT",
        f"{FORMAT_NAMES}; repeatable [default: format of FILE]",
    ),
    "skip_existing": Spelling(
        "--skip-existing", "", "Keep existing files and make only the missing ones"
    ),
    "no_metadata": Spelling(
        "--no-metadata", "", "Remove all metadata; color profiles stay, orientation is applied"
    ),
    "no_prompt_metadata": Spelling(
        "--no-prompt-metadata", "", "Remove prompts and parameters, keep other metadata"
    ),
    "verbose": LOOKUP["verbose"],
}
# Arguments and options of `flux edit`
EDIT = {
    "prompt": Spelling(
        "",
        "IMAGE… PROMPT",
        "Image files (FILE or URL) in the order of their meaning, and the prompt",
    ),
    "image": Spelling("--image", "FILE|URL|-", "One more image; repeatable"),
    "model": Spelling(
        "--model -m", "NAME", "Model; repeatable [default: flux.2-pro; env: FLUX_MODEL]"
    ),
    "output": Spelling(
        "--output -o",
        "PATH",
        "File (suffix selects format), folder/, template, or - for stdout "
        "[default: beside IMAGE; env: FLUX_OUTPUT]",
    ),
}
# Options of `flux show`.
SHOW = {
    "preview": Spelling("--preview", "", "Show the images in the terminal [env: FLUX_PREVIEW]"),
}
# Options of `flux serve`.
SERVE = {
    "model": Spelling("--model -m", "NAME", "Model of requests that name none [env: FLUX_MODEL]"),
    "offline": Spelling("--offline", "", "Answer with sketches, which are drawn here for free"),
    "max_cost": Spelling(
        "--max-cost", "USD", "Most that all requests may cost [env: FLUX_MAX_COST]"
    ),
    "concurrency": Spelling(
        "--concurrency", "N", "Images that are made at once [env: FLUX_CONCURRENCY]"
    ),
    "log_file": Spelling("--log-file", "PATH", "Append a JSON line for every request"),
    "verbose": LOOKUP["verbose"],
}
# Options of `flux build`.
BUILD = {
    "max_cost": Spelling(
        "--max-cost", "USD", "Refuse to send requests that would cost more [env: FLUX_MAX_COST]"
    ),
    "offline": Spelling(
        "--offline", "", "Make placeholders instead of requests, or accept them in --check"
    ),
    "model": Spelling("--model -m", "NAME", "Model of all images"),
    "output": Spelling("--output -o", "PATH", "Template of the files, such as img/{name}.webp"),
    "output_format": Spelling(
        "--output-format --format -f", "FORMAT", f"{FORMAT_NAMES}; repeatable"
    ),
    "width": Spelling("--width", "PIXELS", "Write NAME-WIDTH.EXT in place of the full image"),
    "html": Spelling("--html", "", "Print a <picture> element for each asset"),
    "overwrite": Spelling("--overwrite", "", "Replace edited files, and files that are in the way"),
    "yes": Spelling("--yes -y", "", "Proceed even if the price is unknown; never lifts a limit"),
    "verbose": Spelling("--verbose -v", "", "List unchanged assets, too, and the causes of errors"),
}
