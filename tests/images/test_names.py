"""File names from templates and prompts: one safe part of a path, whatever the prompt."""

import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flux_cli.core.errors import OutputError, UsageError
from flux_cli.core.text import disarm
from flux_cli.images.formats import FORMATS
from flux_cli.images.names import (
    DEFAULT,
    DEFAULT_UNSEEDED,
    FIELDS,
    NAME_BYTES,
    complete,
    fold,
    folders_of,
    names,
    safe,
    sibling,
    slug,
    text_fields,
)

ROW = {
    "slug": "a-red-fox",
    "prompt": "A red fox",
    "seed": 7,
    "index": 1,
    "ratio": "16x9",
    "width": 1365,
    "height": 768,
    "model": "flux1.1-pro-ultra",
    "id": "0a1b2c3d",
    "date": "2025-01-31",
    "time": "235959",
}
WINDOWS_DEVICES = [
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{i}" for port in ("com", "lpt") for i in range(1, 10)),
]


def rows(count, **fields):
    """As many rows as calls, like those of a run: `index` and `id` differ, the seed counts up."""
    return [
        {**ROW, "index": i, "seed": 6 + i, "id": f"{i:08x}", **fields} for i in range(1, count + 1)
    ]


def paths(template, count=1, suffix="png", **fields):
    return [name.path(suffix) for name in names(template, rows(count, **fields))]


def is_one_safe_part(name):
    """Whether every file system takes this as the name of one file, and nothing else."""
    encoded = name.encode()  # raises for half characters
    return (
        name not in ("", ".", "..")
        and not set(name) & set('<>:"/\\|?*')
        and all(ord(char) >= 32 and ord(char) != 127 for char in name)
        and name == name.strip()
        and len(encoded) <= NAME_BYTES
    )


# --- templates


@pytest.mark.parametrize(
    ("output", "seeded", "folder", "template"),
    [
        (None, True, False, DEFAULT),
        (None, False, False, DEFAULT_UNSEEDED),
        ("", True, False, DEFAULT),
        ("out/", True, True, f"out/{DEFAULT}"),
        ("out", False, True, f"out/{DEFAULT_UNSEEDED}"),
        ("out//", False, True, f"out/{DEFAULT_UNSEEDED}"),
        ("/", True, True, f"/{DEFAULT}"),
        ("{date}/", True, True, f"{{date}}/{DEFAULT}"),
        ("fox", True, False, "fox.{ext}"),
        ("fox.v2", True, False, "fox.v2.{ext}"),
        ("a.b/fox", True, False, "a.b/fox.{ext}"),
        ("fox.png", True, False, "fox.png"),
        ("fox.JPG", True, False, "fox.JPG"),
        ("{slug}-{index:03}", True, False, "{slug}-{index:03}.{ext}"),
        ("{slug}.{ext}", True, False, "{slug}.{ext}"),
        ("{slug}.webp", True, False, "{slug}.webp"),
        ("fox{{1}}", True, False, "fox{{1}}.{ext}"),
    ],
)
def test_what_output_says_is_completed_to_a_template(output, seeded, folder, template):
    assert complete(output, seeded=seeded, is_folder=folder) == template


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("{slug}-{seed}.{ext}", "a-red-fox-7.png"),
        ("{prompt}.{ext}", "A red fox.png"),
        ("{index:03}.{ext}", "001.png"),
        ("{seed:4}.{ext}", "   7.png"),
        ("{slug:012}.{ext}", "a-red-fox   .png"),  # zeros are for numbers
        ("{ratio}-{width}x{height}.{ext}", "16x9-1365x768.png"),
        ("{model}/{date}/{time}-{id}.{ext}", "flux1.1-pro-ultra/2025-01-31/235959-00000001.png"),
        ("{{{slug}}}.{ext}", "{a-red-fox}.png"),
        ("{{slug}}.{ext}", "{slug}.png"),
        ("fox.jpg", "fox.jpg"),
    ],
)
def test_templates_are_filled_in(template, path):
    assert paths(template) == [path]


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_can_be_used(field):
    template = complete(f"x-{{{field}}}", seeded=True, is_folder=False)
    (path,) = paths(template)
    assert path.startswith("x-")
    assert "{" not in path


@pytest.mark.parametrize(
    ("output", "message", "hint"),
    [
        ("{sed}", "there is no field {sed}", "did you mean seed?"),
        ("{xyzzy}", "there is no field {xyzzy}", "fields: slug, prompt,"),
        ("{}", "there is no field {}", "fields:"),
        ("{0}", "there is no field {0}", "fields:"),
        ("{slug.__class__}", "there is no field {slug.__class__}", ""),
        ("{slug[0]}", "there is no field {slug[0]}", ""),
        ("{seed!r}", "no field", ""),
        ("{Slug}", "there is no field {Slug}", "did you mean slug?"),
        ("{ slug }", "there is no field { slug }", ""),
        ("{slug", "unbalanced braces", "{{ and }}"),
        ("slug}", "unbalanced braces", "{{ and }}"),
        ("{", "unbalanced braces", "{{ and }}"),
        ("{{slug}", "unbalanced braces", "{{ and }}"),
        ("{index:>5}", "{index:>5} is not a width", "{index:03}"),
        ("{index:x}", "{index:x} is not a width", "{index:03}"),
        ("{index:{seed}}", "is not a width", "{index:03}"),
        ("{index:9999}", "{index:9999} is not a width", "{index:03}"),
        ("{index:-3}", "is not a width", "{index:03}"),
        ("{index:\u0663}", "is not a width", "{index:03}"),
    ],
)
@pytest.mark.parametrize("is_folder", [False, True])
def test_templates_that_mean_nothing_are_refused_as_files_and_as_folders(
    output, message, hint, is_folder
):
    with pytest.raises(OutputError) as raised:
        complete(f"{output}/" if is_folder else output, seeded=True, is_folder=is_folder)
    assert message in raised.value.message
    assert hint in raised.value.hint


def test_a_template_with_a_foreign_suffix_is_refused():
    with pytest.raises(UsageError, match=r"cannot write \.svg"):
        complete("fox.svg", seeded=True, is_folder=False)


@given(st.text("{}:!.[]0a/ sluged", max_size=14))
def test_any_output_is_a_usable_template_or_refused(output):
    for is_folder in (False, True):
        try:
            template = complete(output, seeded=True, is_folder=is_folder)
            made = names(template, rows(2))
        except UsageError:
            continue
        assert len({name.path("png") for name in made}) == 2


# --- several names


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{slug}-{seed}.{ext}", ["a-red-fox-7.png", "a-red-fox-8.png", "a-red-fox-9.png"]),
        ("{id}.{ext}", ["00000001.png", "00000002.png", "00000003.png"]),
        ("fox.png", ["fox-1.png", "fox-2.png", "fox-3.png"]),
        ("fox.{ext}", ["fox-1.png", "fox-2.png", "fox-3.png"]),
        ("a.b/fox.PNG", ["a.b/fox-1.PNG", "a.b/fox-2.PNG", "a.b/fox-3.PNG"]),
        ("{slug}.{ext}", ["a-red-fox-1.png", "a-red-fox-2.png", "a-red-fox-3.png"]),
        ("fox{{}}.png", ["fox{}-1.png", "fox{}-2.png", "fox{}-3.png"]),
    ],
)
def test_an_index_is_added_only_where_names_would_repeat(template, expected):
    assert paths(template, 3) == expected


@pytest.mark.parametrize(
    ("count", "first", "last"),
    [(9, "fox-1", "fox-9"), (10, "fox-01", "fox-10"), (100, "fox-001", "fox-100")],
)
def test_the_index_is_as_wide_as_the_last_one_so_that_files_sort(count, first, last):
    made = paths("fox.{ext}", count)
    assert (made[0], made[-1]) == (f"{first}.png", f"{last}.png")
    assert made == sorted(made)


def test_names_that_differ_only_in_case_count_as_the_same():
    """File systems that ignore case would let the second overwrite the first."""
    made = names(
        "{prompt}.{ext}",
        [{**ROW, "prompt": "Fox", "index": 1}, {**ROW, "prompt": "fox", "index": 2}],
    )
    assert [name.path("png") for name in made] == ["Fox-1.png", "fox-2.png"]


def test_names_that_differ_only_in_composition_count_as_the_same():
    made = names(
        "{prompt}.{ext}",
        [{**ROW, "prompt": "\u00e9", "index": 1}, {**ROW, "prompt": "e\u0301", "index": 2}],
    )
    assert len({fold(name.path("png")) for name in made}) == 2


def test_a_name_waits_for_its_suffix_until_the_image_is_there():
    (name,) = names("fox.{ext}", rows(1))
    assert name.candidates(None) == tuple(f"fox.{row.suffix}" for row in FORMATS.values())
    assert name.candidates("jpeg") == ("fox.jpg",)
    (fixed,) = names("fox.png", rows(1))
    assert fixed.candidates(None) == ("fox.png",)


@pytest.mark.parametrize(
    ("template", "fits"),
    [
        ("x" * 250 + ".{ext}", True),  # 250 + .jpeg = 255
        ("x" * 251 + ".{ext}", False),
        ("ä" * 125 + ".{ext}", True),
        ("ä" * 126 + ".{ext}", False),
        ("🦊" * 63 + ".{ext}", False),
        ("x" * 251 + "/fox.png", True),
        ("x" * 256 + "/fox.png", False),
        ("{index:100}.png", True),
        ("{index:300}.png", False),
        ("{model}.png", True),
    ],
)
def test_a_part_of_more_than_255_bytes_is_refused_before_anything_is_paid(template, fits):
    if fits:
        names(template, rows(1))
        return
    with pytest.raises(OutputError, match="longer than 255 bytes"):
        names(template, rows(1))


# --- names from prompts


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("A red fox", "a-red-fox"),
        ("  A   red\tfox\n", "a-red-fox"),
        ("Don't stop, O\u2019Neil!", "dont-stop-oneil"),
        ("fox/../../etc/passwd", "fox-etc-passwd"),
        ("C:\\Windows\\fox", "c-windows-fox"),
        ("../..", "image"),
        (".hidden", "hidden"),
        ("-rf *", "rf"),
        ("", "image"),
        ("!?…", "image"),
        ("50% off", "50-off"),
        ("Überfluß café", "überfluß-café"),
        ("\uff26\uff55\uff4c\uff4c", "full"),  # full-width letters
        ("雪の中の赤い狐", "雪の中の赤い狐"),
        ("がぎぐ", "がぎぐ"),  # voiced sound marks
        ("ثعلب أحمر", "ثعلب-أحمر"),
        ("लाल लोमड़ी", "लाल-लोमड़ी"),  # vowels are combining marks
        ("สุนัขจิ้งจอก", "สุนัขจิ้งจอก"),
        ("красная лиса", "красная-лиса"),
        ("🦊 in the snow 🌨️", "in-the-snow"),
        ("🦊", "image"),
        ("❤️", "image"),  # its variation selector is a mark, and no letter
        ("1️⃣", "1"),
        ("👩‍🚀🇯🇵", "image"),
        ("\u0301", "image"),  # a mark without a letter
        ("\x00\x1b[31mfox", "31mfox"),
        ("a\u202egnp.exe", "a-gnp-exe"),  # right-to-left override
        ("\ud800fox", "fox"),
    ],
)
def test_a_slug_is_the_words_of_any_script(prompt, expected):
    import unicodedata

    assert unicodedata.normalize("NFC", slug(prompt)) == unicodedata.normalize("NFC", expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A red fox", "A red fox"),
        ("a/b\\c", "a-b-c"),
        ('<>:"|?*', "-------"),
        ("../../etc/passwd", "-..-etc-passwd"),
        ("..", ""),
        (" . fox . ", "fox"),
        ("a\x00b\x1b[0m", "ab[0m"),
        ("red\nfox", "red fox"),  # a line break parts words
        ("red\tfox", "red fox"),
        ("\u2028red\u2029fox", "red fox"),
        ("雪の狐 🦊", "雪の狐 🦊"),
        ("\ud800", ""),
    ],
)
def test_free_text_is_made_safe_and_stays_readable(text, expected):
    assert safe(text) == expected


@pytest.mark.parametrize(
    "prompt",
    [
        "x" * 5000,
        "ä" * 5000,
        "雪" * 5000,
        "🦊" * 5000,
        "ल" * 5000,
        "word " * 1000,
        "e\u0301" * 3000,
        "ﷺ" * 400,
    ],
)
def test_long_prompts_are_cut_between_characters(prompt):
    fields = text_fields(prompt, "m")
    assert 0 < len(fields["slug"].encode()) <= 80
    assert 0 < len(fields["prompt"].encode()) <= 160
    assert len(fields["prompt"]) <= 60
    assert "\ufffd" not in fields["slug"] + fields["prompt"]
    assert not fields["slug"].endswith("-")


STREET = "a narrow street at dusk in Lisbon with blue tiles on every house and an orange tram"
ENDS = {
    "words": (f"{STREET} {'and a cat ' * 9}", f"{STREET} {'and a cat ' * 9}or a dog"),
    "far behind": (f"{STREET * 9} cat", f"{STREET * 9} dog"),
    "no words": ("\u6c34" * 200, "\u6c34" * 199 + "\u706b"),
    "only marks": ("!" * 500, "?" * 500),
}


@pytest.mark.parametrize(("one", "other"), ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("field", ["slug", "prompt"])
def test_prompts_that_differ_only_behind_the_cut_never_share_a_name(one, other, field):
    names = [text_fields(prompt, "m")[field] for prompt in (one, other)]
    assert names[0] != names[1]
    for name in names:
        assert re.fullmatch(r"[0-9a-f]{8}", name[-8:])


def test_names_are_cut_at_a_word():
    fields = text_fields(f"{STREET}, {STREET}, {STREET}", "m")
    kept = "a-narrow-street-at-dusk-in-lisbon-with-blue-tiles-on-every-house-and-an"
    assert fields["slug"][:-8] == f"{kept}-"
    assert fields["prompt"][:-8] == "a narrow street at dusk in Lisbon with blue-"


def test_a_prompt_of_up_to_56_characters_is_a_name_as_it_is():
    prompt = STREET[:56].strip()
    assert text_fields(prompt, "m")["prompt"] == prompt
    assert text_fields(STREET, "m")["prompt"][:-8] == text_fields(f"{STREET}s", "m")["prompt"][:-8]


@pytest.mark.parametrize("one", ["e\u0301", "\U0001f44d\U0001f3fd", "\u0915\u093f", "\u2764\ufe0f"])
@pytest.mark.parametrize("before", ["", "x"])
def test_no_name_is_cut_inside_a_character(one, before):
    """An accent, a skin tone, a vowel sign, or a variation: half of a pair would be another."""
    made = text_fields(before + one * 100, "m")["prompt"][:-9].removeprefix(before)
    assert made == one * (len(made) // len(one)) != ""


def test_a_name_that_is_not_cut_has_no_digest():
    prompt = "a" * 40 + " " + "b" * 39
    assert slug(prompt) == prompt.replace(" ", "-")
    assert slug(f"{prompt}b") == "a" * 40 + "-" + slug(f"{prompt}b")[-8:]


def test_numbers_without_a_width_sort():
    assert paths("{index}-{index:03}.png", 10)[0] == "01-001.png"
    assert paths("{index}.png", 9)[0] == "1.png"
    assert paths("{{index}}{{{index}}}.png", 10)[9] == "{index}{10}.png"


@pytest.mark.parametrize(
    "device", ["con", "prn", "aux", "lpt9", "CON", "Nul", "aux.c", "con.fox", "COM1 ", "nul."]
)
@pytest.mark.parametrize("field", ["slug", "prompt"])
def test_no_prompt_names_a_device_of_windows(device, field):
    """Windows takes the part before the first dot, in any case, whatever the suffix."""
    name = text_fields(device, "m")[field]
    assert name.partition(".")[0].strip().lower() not in WINDOWS_DEVICES


@pytest.mark.parametrize(
    "model", ["..", ".", "/", "...", " ", "\x00", "", "a/b", "..\\..", "black-forest-labs/FLUX"]
)
def test_a_model_s_name_never_becomes_a_folder_or_nothing(model):
    """`{model}/x.png` must not begin with a slash."""
    assert is_one_safe_part(text_fields("fox", model)["model"])


ANY_TEXT = (
    st.text(max_size=120)
    | st.text(
        string.punctuation + string.whitespace + "aé雪🦊\u0301\ufe0f\u202e\u200d", max_size=60
    )
    | st.text(st.characters(categories=["Cs", "Cc", "Cf", "Mn", "Zs", "Zl", "Po"]), max_size=20)
)


@given(ANY_TEXT, ANY_TEXT)
@example("../../../etc/passwd", "../x")
@example("/", "\\")
@example("\ud800" * 3, "\udcff")
@example("." * 500, "m")
@example("x" * 159 + ". tail", "m")
def test_any_prompt_and_model_give_one_safe_part_of_a_path_each(prompt, model):
    fields = text_fields(prompt, "m" + model[:80])
    for field in ("slug", "prompt", "model"):
        assert is_one_safe_part(fields[field]), field
    for template in (
        "{slug}.{ext}",
        "{prompt}.{ext}",
        "{slug}-{seed}.{ext}",
        "{prompt}-{index:03}.png",
    ):
        (path,) = [name.path("png") for name in names(template, [{**ROW, **fields}])]
        assert is_one_safe_part(path)


@given(ANY_TEXT)
def test_a_slug_holds_only_letters_digits_marks_and_single_hyphens(prompt):
    made = slug(prompt)
    assert made
    assert len(made.encode()) <= 80 + len("-image")
    assert "--" not in made
    assert not made.startswith("-")
    assert not made.endswith("-")
    assert not any(char.isspace() for char in made)


# --- names beside taken ones


@pytest.mark.parametrize(
    ("path", "number", "expected"),
    [
        ("cat.png", 2, "cat-2.png"),
        ("a.b/cat", 3, "a.b/cat-3"),
        ("a.b/cat.tar.gz", 2, "a.b/cat.tar-2.gz"),
        (".hidden", 2, ".hidden-2"),
        ("cat.\udcff", 2, "cat-2.\udcff"),  # a byte of the command line that is no UTF-8
        ("/tmp/cat.png", 10, "/tmp/cat-10.png"),
        ("x" * 251 + ".png", 2, "x" * 249 + "-2.png"),
        ("雪" * 83 + ".png", 2, "雪" * 83 + "-2.png"),
        ("雪" * 83 + ".avif", 1000, "雪" * 81 + "-1000.avif"),
    ],
)
def test_a_sibling_has_its_number_before_the_suffix_and_still_fits(path, number, expected):
    made = sibling(path, number)
    assert made == expected
    assert len(made.rpartition("/")[2].encode("utf-8", "surrogateescape")) <= NAME_BYTES


@pytest.mark.parametrize("text", ["##[error]", "##vso[task.complete]", "####[group]", "::error::x"])
def test_a_name_made_from_text_commands_no_ci_service(text):
    """Printed paths are exact."""
    name = text_fields(text, text)
    for made in (name["prompt"], name["slug"], name["model"]):
        assert disarm(made) == made


@pytest.mark.parametrize(
    ("template", "folders"),
    [
        ("{slug}.png", {""}),
        ("/{index}.png", {"/"}),
        ("out/{index}.png", {"out/"}),
        ("disk{index}/{slug}.png", {"disk1/", "disk2/", "disk3/"}),
        ("{slug}/{index}.{ext}", {"a-red-fox/"}),
    ],
)
def test_all_folders_of_a_run_are_known(template, folders):
    rows = [ROW | {"index": index} for index in (1, 2, 3)]
    assert folders_of(names(template, rows)) == folders
