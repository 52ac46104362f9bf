"""How the options of `flux generate` are spelled, which most other commands share."""

from flux_cli.cli.spellings.build import MACHINES, PLAN
from flux_cli.cli.spellings.spelling import Spelling
from flux_cli.images.finish import FITS, FOCUSES
from flux_cli.images.formats import EFFORTS, FORMATS

FORMAT_NAMES = ", ".join(FORMATS)

# The panels of `--help` and the options in each, in the order in which help shows them.
PANELS: dict[str, dict[str, Spelling]] = {
    "Shape": {
        "size": Spelling(
            "--size -s",
            "WxH|W:H|Wx|xH",
            "Pixels (1920x1080) or a ratio (16:9), which override the next two, "
            "or one side of the files (320x, x300)",
        ),
        "aspect_ratio": Spelling(
            "--aspect-ratio -a", "W:H", "Ratio only; the model's closest ratio is used"
        ),
        "resolution": Spelling(
            "--resolution -r",
            "TIER",
            "Scale only: 0.5K, 1K, 2K, 4K or megapixels; the closest tier is used",
        ),
    },
    "Model": {
        "model": Spelling(
            "--model -m",
            "NAME",
            "Model; repeatable [default: flux1.1-pro-ultra; env: FLUX_MODEL]",
        ),
        "route": Spelling("--route", "NAME", "Force one upstream of the gateway: fal or replicate"),
    },
    "Parameters": {
        "n": Spelling("-n --n", "COUNT", "Number of images, generated in parallel [default: 1]"),
        "seed": Spelling(
            "--seed",
            "SEED",
            "Seed, counted up for more images, or one per image: 1,5,9 or 1..4; repeatable; "
            "-1 is random [default: random]",
        ),
        "no_seed": Spelling(
            "--no-seed", "", "Send no seed: the provider chooses, and rarely says which"
        ),
        "raw": Spelling("--raw/--no-raw", "", "Less processed, more natural-looking images"),
        "enhance_prompt": Spelling(
            "--enhance-prompt/--no-enhance-prompt", "", "Let the provider enhance the prompt (fal)"
        ),
        "image": Spelling(
            "--image",
            "FILE|URL|-",
            "Image to edit or combine; repeatable, and the prompt may say: image 1, image 2",
        ),
        "mask": Spelling(
            "--mask",
            "FILE",
            "Only change what is transparent in this image, or white on black",
        ),
        "image_prompt": Spelling(
            "--image-prompt",
            "FILE|URL",
            "Image that guides the composition: jpeg, png, gif or webp (replicate)",
        ),
        "image_prompt_strength": Spelling(
            "--image-prompt-strength", "0..1", "How strongly the image prompt guides the result"
        ),
        "background": Spelling(
            "--background",
            "VALUE",
            "transparent or opaque, where a model has it; the alpha of the image is checked",
        ),
        "safety_tolerance": Spelling(
            "--safety-tolerance", "1..6", "Moderation level; 1 is the strictest"
        ),
        "response_format": Spelling(
            "--response-format",
            "url|b64_json",
            "How the provider returns the image; files are the same [default: url]",
        ),
        "sync_mode": Spelling(
            "--sync-mode/--no-sync-mode",
            "",
            "Return a data URI and keep the image out of the request history (fal)",
        ),
        "like": Spelling(
            "--like",
            "FILE",
            "Reuse an image's prompt, model, seed, size and parameters; options override them",
        ),
        "preset": Spelling(
            "--preset",
            "NAME",
            "Add a preset of flux.toml or config.toml; options override it",
        ),
        "prompts": Spelling(
            "--prompts",
            "FILE|-",
            "One request per line of a file: a prompt, or a JSON object with parameters",
        ),
        "var": Spelling(
            "--var",
            "NAME=VALUES",
            "Fill {NAME} in the prompt and in -o with each value: animal=fox,owl; repeatable",
        ),
        "param": Spelling(
            "--param -p",
            "KEY=VALUE",
            "Any other parameter, as JSON or text; KEY=@PATH reads a file; repeatable",
        ),
    },
    "Output": {
        "output": Spelling(
            "--output -o",
            "PATH",
            "File (suffix selects format), folder/, template, or - for stdout [env: FLUX_OUTPUT]",
        ),
        "output_format": Spelling(
            "--output-format --format -f",
            "FORMAT",
            f"{FORMAT_NAMES}; repeatable [default: as received; env: FLUX_OUTPUT_FORMAT]",
        ),
        "output_compression": Spelling(
            "--output-compression --quality -q",
            "0..100",
            "Quality of lossy files; the same number looks alike in every format [default: 80]",
        ),
        "overwrite": Spelling("--overwrite", "", "Replace existing files"),
        "skip_existing": Spelling(
            "--skip-existing", "", "Keep existing files that match; refuse to run if one does not"
        ),
        "update": Spelling(
            "--update", "", "Keep files that match, and replace only those that do not"
        ),
        "as_json": Spelling("--json", "", "Print one JSON document"),
        "preview": Spelling(
            "--preview/--no-preview",
            "",
            "Show images in the terminal [default: if it shows real ones; env: FLUX_PREVIEW]",
        ),
        "sheet": Spelling("--sheet", "", "Also save a contact sheet of all images: NAME-sheet"),
        "sheet_output": Spelling(
            "--sheet-output", "PATH", "Save the contact sheet under this name"
        ),
        "open_files": Spelling("--open", "", "Open the images in the system's image viewer"),
        "plain": Spelling("--plain", "", "Print only sizes, such as 1365x768"),
        "native": Spelling("--native", "", "Print only the pixels that arrive, such as 2752x1536"),
        "exact": Spelling("--exact", "", "Fail with 1 if the model does not have the size itself"),
        "curl": Spelling("--curl", "", "Print the request as a curl command"),
    },
    "Run": {
        "concurrency": Spelling(
            "--concurrency",
            "COUNT",
            "Requests in flight at once [default: 16; env: FLUX_CONCURRENCY]",
        ),
        "timeout": Spelling(
            "--timeout", "SECONDS", "Longest wait for one image [default: 300; env: FLUX_TIMEOUT]"
        ),
        "retries": Spelling(
            "--retries",
            "COUNT",
            "Retries of requests that certainly had no effect [default: 3; env: FLUX_RETRIES]",
        ),
        "dry_run": Spelling("--dry-run", "", "Show requests, file names and cost; send nothing"),
        "estimate": Spelling(
            "--estimate", "", "Ask the gateway for the price; with --dry-run, or in resolve"
        ),
        "max_cost": Spelling(
            "--max-cost", "USD", "Refuse to start a run that would cost more [env: FLUX_MAX_COST]"
        ),
        "yes": Spelling("--yes -y", "", "Do not ask, even if the price is unknown or high"),
        "quiet": Spelling("--quiet", "", "Print nothing but results and errors"),
        "verbose": Spelling(
            "--verbose -v", "", "Show each step, request ids and the causes of errors"
        ),
        "progress": Spelling(
            "--progress",
            "auto|plain|none",
            "Progress display; plain prints lines, as in a log [default: auto; env: FLUX_PROGRESS]",
        ),
        "log_file": Spelling(
            "--log-file", "PATH", "Append every step to a file, one JSON object per line"
        ),
    },
    "Provider": {
        "provider": Spelling(
            "--provider",
            "NAME",
            "Provider: lumenfall, bfl, fal, openai, …; see flux providers [env: FLUX_PROVIDER]",
        ),
        "base_url": Spelling(
            "--base-url",
            "URL",
            "Base URL of an OpenAI-compatible server, including /v1 [env: FLUX_BASE_URL]",
        ),
        "no_key": Spelling("--no-key", "", "Send no API key, for servers that need none"),
        "offline": Spelling(
            "--offline",
            "",
            "Draw a local sketch instead: free, needs no key, not made by the model",
        ),
        "no_badge": Spelling("--no-badge", "", "Leave the badge out of an offline sketch"),
    },
    "Finish": {
        "fit": Spelling(
            "--fit",
            "|".join(FITS),
            "Make files of exactly --size: cover crops, contain stays inside, pad adds borders, "
            "exact distorts",
        ),
        "focus": Spelling(
            "--focus",
            "PLACE|X,Y",
            f"What --fit cover keeps: {', '.join(FOCUSES)}, or a point from the left and the top, "
            "such as 0.3,0.7 [default: center]",
        ),
        "pad_color": Spelling(
            "--pad-color",
            "COLOR",
            "Color of --fit pad: #rrggbb, #rrggbbaa or a name "
            "[default: transparent, or white in jpeg]",
        ),
        "upscale": Spelling("--upscale", "", "Allow files larger than the image"),
        "width": Spelling(
            "--width",
            "PIXELS",
            "Also write this width, as NAME-WIDTH.EXT beside the full image; repeatable",
        ),
        "max_bytes": Spelling(
            "--max-bytes",
            "SIZE",
            "Reduce quality until the file fits SIZE, such as 200kB, 1.5MB, 2MiB",
        ),
        "lossless": Spelling("--lossless", "", "Keep every pixel unchanged: png or webp"),
        "effort": Spelling(
            "--effort", "|".join(EFFORTS), "Time spent on reducing file size [default: balanced]"
        ),
        "keep_original": Spelling(
            "--keep-original", "", "Also save the image as received: NAME-original.EXT"
        ),
        "html": Spelling("--html", "", "Print a <picture> element instead of the paths"),
        "alt": Spelling("--alt", "TEXT", "Alternative text for --html"),
    },
    "Metadata": {
        "no_metadata": Spelling(
            "--no-metadata",
            "",
            "Write no metadata; the received bytes stay unchanged [env: FLUX_METADATA=none]",
        ),
        "no_prompt_metadata": Spelling(
            "--no-prompt-metadata",
            "",
            "Write metadata without the prompt [env: FLUX_METADATA=no-prompt]",
        ),
        "sidecar": Spelling(
            "--sidecar", "", "Write the metadata into a .json file beside the image"
        ),
    },
}
PANELS["Build"] = PLAN
PANELS["Several machines"] = MACHINES
PANELS["Server"] = {
    "host": Spelling(
        "--host", "HOST", "Address to listen at; other machines need a key [default: 127.0.0.1]"
    ),
    "port": Spelling("--port", "PORT", "Port to listen at; 0 is a free one [default: 8765]"),
    "key_file": Spelling(
        "--key-file", "FILE", "File of the key that clients must send [env: FLUX_SERVE_KEY]"
    ),
    "cors": Spelling("--cors", "ORIGIN", "Origin of web pages that may send requests; repeatable"),
}
PANEL_OF = {field: panel for panel, options in PANELS.items() for field in options}
SPELLINGS = {field: row for options in PANELS.values() for field, row in options.items()}
ORDER = list(PANEL_OF)  # of options in help and usage
ARGUMENTS = {
    "manifests": ("[MANIFEST…]", "Manifests [default: flux-build.toml, here or above], or JSONL"),
    "prompt": ("PROMPT", "The prompt, quoted; - reads standard input, @FILE reads a file"),
    "files": ("FILE…", "Image files; - reads one from standard input"),
}
