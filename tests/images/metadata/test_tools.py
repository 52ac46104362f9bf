"""Records of other programs: the prompt that made the image, or none, but never a guess."""

import json
import time

import pytest
from PIL import Image, PngImagePlugin
from sample_images import IMAGES, encoded

from flux_cli.images.containers.parts import read_text
from flux_cli.images.metadata import comfyui
from flux_cli.images.metadata.read import read_metadata

LINE = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 77, Size: 512x512, Model: sd15"


def png(texts):
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name, text if isinstance(text, str) else json.dumps(text))
    return encoded("png", pnginfo=info)


def read(texts):
    reading = read_metadata(png(texts))
    record = reading.record
    return reading.source, record.prompt, record.negative_prompt, record.seed, record.size


# --- ComfyUI: links are followed ------------------------------------------------------------------


def node(kind, **inputs):
    return {"class_type": kind, "inputs": inputs}


def encoder(text, **more):
    return node("CLIPTextEncode", text=text, clip=["4", 1], **more)


SAMPLER = {
    "seed": 31, "steps": 20, "cfg": 7, "sampler_name": "euler", "positive": ["6", 0],
    "negative": ["7", 0], "model": ["4", 0], "latent_image": ["5", 0],
}  # fmt: skip
PLAIN = {
    "7": encoder("bad"),  # the first text of the graph
    "3": node("KSampler", **SAMPLER),
    "4": node("CheckpointLoaderSimple", ckpt_name="sdxl.safetensors"),
    "5": node("EmptyLatentImage", width=512, height=768),
    "6": encoder("a fox"),
    "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
    "9": node("SaveImage", images=["8", 0]),
}
FLUX = {
    "9": node("SaveImage", images=["13", 0]),
    "13": node(
        "SamplerCustomAdvanced", noise=["25", 0], guider=["22", 0], sigmas=["17", 0],
        latent_image=["27", 0],
    ),
    "17": node("BasicScheduler", scheduler="simple", steps=8, model=["12", 0]),
    "22": node("BasicGuider", model=["12", 0], conditioning=["26", 0]),
    "26": node("FluxGuidance", guidance=3.5, conditioning=["6", 0]),
    "25": node("RandomNoise", noise_seed=987),
    "6": node("CLIPTextEncodeFlux", clip_l="fox", t5xxl="a long fox", clip=["11", 0]),
    "12": node("UNETLoader", unet_name="flux1-dev.safetensors"),
    "27": node("EmptySD3LatentImage", width=["30", 0], height=1024),
    "30": node("PrimitiveInt", value=768),
}  # fmt: skip
TWO = {**PLAIN, "9": node("SaveImage", images=["18", 0])}
TWO |= {"18": node("VAEDecode", samples=["13", 0])}
REFINED = {**TWO, "13": node("KSampler", **{**SAMPLER, "seed": 5, "latent_image": ["3", 0]})}
LLM = node("OllamaGenerate", prompt="describe a fox", model="llama", seed=1)


def prompted(link, **nodes):
    """A graph whose encoder gets its text over a link."""
    return {**PLAIN, "6": encoder(link), **{name.strip("n"): one for name, one in nodes.items()}}


def conditioned(one, **nodes):
    """A graph whose prompt comes from this node, before which are others."""
    return {**PLAIN, "6": one, **{name.strip("n"): one for name, one in nodes.items()}}


GRAPHS = {
    "plain": (PLAIN, "a fox", "bad", 31),
    "a seed of its own": (
        {
            **PLAIN,
            "3": node("KSampler", **{**SAMPLER, "seed": ["12", 0]}),
            "12": node("Seed (rgthree)", seed=4242),
        },
        "a fox", "bad", 4242,
    ),
    "a seed that is any": (
        {**PLAIN, "3": node("KSampler", **{**SAMPLER, "seed": -1})}, "a fox", "bad", None,
    ),
    "a guider": (FLUX, "a long fox", "", 987),
    "a guider with both": (
        {
            **FLUX,
            "22": node("CFGGuider", positive=["6", 0], negative=["7", 0]),
            "7": encoder("bad"),
        },
        "a long fox", "bad", 987,
    ),
    "an empty t5xxl": (
        {**FLUX, "6": node("CLIPTextEncodeFlux", clip_l="fox", t5xxl="", clip=["11", 0])},
        "fox", "", 987,
    ),
    "two samplers, one after the other": (REFINED, "a fox", "bad", 31),
    "two samplers with different prompts": (
        {
            **REFINED,
            "13": node("KSampler", **{**SAMPLER, "positive": ["16", 0], "latent_image": ["3", 0]}),
            "16": encoder("a wolf"),
        },
        "", "bad", 31,
    ),
    "two images": (
        {
            **PLAIN,
            "13": node("KSampler", **{**SAMPLER, "positive": ["16", 0], "seed": 5}),
            "16": encoder("a wolf"),
            "18": node("SaveImage", images=["13", 0]),
        },
        "", "bad", None,
    ),
    "a sampler that is not used": (
        {
            **PLAIN,
            "13": node("KSampler", **{**SAMPLER, "positive": ["16", 0], "seed": 5}),
            "16": encoder("a wolf"),
        },
        "a fox", "bad", 31,
    ),
    "a control net": (
        {
            **PLAIN,
            "3": node("KSampler", **{**SAMPLER, "positive": ["10", 0], "negative": ["10", 1]}),
            "10": node("ControlNetApplyAdvanced", positive=["6", 0], negative=["7", 0]),
        },
        "a fox", "bad", 31,
    ),
    "a zeroed negative": (
        {**PLAIN, "7": node("ConditioningZeroOut", conditioning=["6", 0])}, "a fox", "", 31,
    ),
    "texts of a loader": (
        {
            **PLAIN,
            "3": node("KSampler (Efficient)", **{**SAMPLER, "positive": ["6", 1]}),
            "6": node("Efficient Loader", positive="a fox", negative="bad", ckpt_name="x"),
        },
        "a fox", "bad", 31,
    ),
    "combined with itself": (
        conditioned(
            node("ConditioningCombine", conditioning_1=["16", 0], conditioning_2=["16", 0]),
            n16=encoder("a fox"),
        ),
        "a fox", "bad", 31,
    ),
    "combined of two": (
        conditioned(
            node("ConditioningCombine", conditioning_1=["16", 0], conditioning_2=["7", 0]),
            n16=encoder("a fox"),
        ),
        "", "bad", 31,
    ),
    "a reroute": (conditioned(node("Reroute", **{"": ["16", 0]}), n16=encoder("a fox")),
                  "a fox", "bad", 31),
    "a text of its own": (prompted(["16", 0], n16=node("PrimitiveString", value="a fox")),
                          "a fox", "bad", 31),
    "wildcards": (
        prompted(
            ["16", 0],
            n16=node("ImpactWildcardProcessor", wildcard_text="a {fox|wolf}",
                     populated_text="a fox", mode="populate", seed=3),
        ),
        "a fox", "bad", 31,
    ),
    "wildcards that are not resolved": (
        prompted(["16", 0], n16=node("DPRandomGenerator", text="a {fox|wolf}", seed=3, x=True)),
        "", "bad", 31,
    ),
    "joined texts": (
        prompted(["16", 0], n16=node("StringConcatenate", string_a="a", string_b=["17", 0],
                                     delimiter=" "), n17=node("Text", text="fox")),
        "a fox", "bad", 31,
    ),
    "a language model": (prompted(["16", 0], n16=LLM), "", "bad", 31),
    "a language model before a reroute": (
        prompted(["16", 0], n16=node("Reroute", **{"": ["17", 0]}), n17=LLM), "", "bad", 31,
    ),
    "texts in a circle": (prompted(["16", 0], n16=node("Text", text=["16", 0])), "", "bad", 31),
    "a link to nowhere": (prompted(["99", 0]), "", "bad", 31),
    "a node that calls a provider": (
        {
            "1": node("FluxProUltraImageNode", prompt="a fox", seed=9, aspect_ratio="16:9"),
            "9": node("SaveImage", images=["1", 0]),
        },
        "", "", 9,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("graph", "prompt", "negative", "seed"), GRAPHS.values(), ids=GRAPHS)
def test_a_graph_says_what_its_links_lead_to(graph, prompt, negative, seed):
    _, *said, _ = read({"prompt": graph})
    assert said == [prompt, negative, seed]


def test_size_and_values_are_those_of_the_sampler():
    record = read_metadata(png({"prompt": FLUX})).record
    assert (record.size, record.model) == ("768x1024", "flux1-dev.safetensors")
    assert record.parameters == {"steps": 8, "scheduler": "simple"}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_json_does_not_have(number):
    graph = json.dumps(PLAIN).replace('"seed": 31', f'"is_changed": [{number}], "seed": 31')
    assert read({"prompt": graph}) == ("ComfyUI", "a fox", "bad", 31, "512x768")


@pytest.mark.parametrize("tag", [0x010E, 0x010F, 0x0110])
def test_a_graph_in_any_tag_of_exif(tag):
    tags = Image.Exif()
    tags[tag] = f"Prompt:{json.dumps(PLAIN)}"
    record = read_metadata(encoded("webp", exif=tags.tobytes())).record
    assert (record.prompt, record.seed) == ("a fox", 31)


def test_a_large_graph_takes_no_time():
    graph = {**PLAIN, "6": node("A", **{f"cond{i}": [str(100 + i), 0] for i in range(5000)})}
    for i in range(5000):
        graph[str(100 + i)] = node("KSampler", **{**SAMPLER, "latent_image": [str(101 + i), 0]})
    start = time.process_time()
    assert comfyui.comfyui({"prompt": json.dumps(graph)}).prompt == ""
    assert time.process_time() - start < 3


# --- ComfyUI: the graph of the editor -------------------------------------------------------------


def is_link(value):
    return isinstance(value, list)


def in_editor(graph, *, is_listed=True, as_objects=False):
    """A graph as the editor keeps it; newer ones name all values (`is_listed`)."""
    nodes, links = [], []
    for number, one in graph.items():
        slots, values = [], []
        for name, value in one["inputs"].items():
            slot = {"name": name, "type": "ANY", "link": None}
            if is_link(value):
                slot["link"] = len(links) + 1
                links.append([len(links) + 1, int(value[0]), value[1], int(number), 0, "ANY"])
            else:
                slot["widget"] = {"name": name}
                values.append(value)
                values += ["randomize"] if name in ("seed", "noise_seed") else []
            if is_listed or is_link(value):
                slots.append(slot)
        nodes.append(
            {
                "id": int(number), "type": one["class_type"], "mode": 0, "inputs": slots,
                "widgets_values": values,
            }
        )  # fmt: skip
    if as_objects:
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        links = [dict(zip(keys, link, strict=True)) for link in links]
    return {"last_node_id": 99, "nodes": nodes, "links": links, "version": 0.4}


@pytest.mark.parametrize("as_objects", [False, True], ids=["lists", "objects"])
@pytest.mark.parametrize(("graph", "prompt", "negative", "seed"), GRAPHS.values(), ids=GRAPHS)
def test_the_graph_of_the_editor_says_the_same(graph, prompt, negative, seed, as_objects):
    source, *said, _ = read({"workflow": in_editor(graph, as_objects=as_objects)})
    assert (source, said) == ("ComfyUI", [prompt, negative, seed])


@pytest.mark.parametrize(("graph", "prompt", "negative", "seed"), GRAPHS.values(), ids=GRAPHS)
def test_without_names_of_values_a_prompt_is_right_or_empty(graph, prompt, negative, seed):
    _, *said, _ = read({"workflow": in_editor(graph, is_listed=False)})
    for found, true in zip(said, (prompt, negative, seed), strict=True):
        assert found in (true, "", None)


def edited(change=None, **values):
    """The graph that the editor of ComfyUI begins with, and what an image says with a change."""
    values = {
        "3": [31, "randomize", 20, 7, "euler", "normal", 1], "4": ["sdxl.safetensors"],
        "5": [512, 768, 1], "6": ["a fox"], "7": ["bad"], "8": [], "9": ["ComfyUI"],
        **{name.strip("n"): value for name, value in values.items()},
    }  # fmt: skip
    document = in_editor(PLAIN, is_listed=False)
    by_number = {str(one["id"]): one for one in document["nodes"]}
    for number, value in values.items():
        by_number[number]["widgets_values"] = value
    if change:
        change(document, by_number)
    return read({"workflow": document})


def slot_of(one, name):
    return next(slot for slot in one["inputs"] if slot["name"] == name)


def relink(document, one, name, origin, kind="ANY"):
    """Let the input of a node come from another one."""
    number = len(document["links"]) + 1
    document["links"].append([number, origin, 0, one["id"], 0, kind])
    slots = [slot for slot in one["inputs"] if slot["name"] != name]
    one["inputs"] = [*slots, {"name": name, "type": kind, "link": number, "widget": {"name": name}}]


def add(document, number, kind, values=(), mode=0):
    one = {"id": number, "type": kind, "mode": mode, "inputs": [], "widgets_values": list(values)}
    document["nodes"].append(one)
    return one


def test_the_editor_s_first_graph_is_read_whole():
    assert edited() == ("ComfyUI", "a fox", "bad", 31, "512x768")
    assert edited(n3=[31, 20, 7, "euler", "normal", 1])[3] == 31  # no control behind the seed


def primitive(document, nodes):
    relink(document, nodes["6"], "text", add(document, 20, "PrimitiveNode", ["a wolf", ""])["id"])


def bypassed(document, nodes):
    """A node between encoder and sampler that is not carried out."""
    between = add(document, 20, "ConditioningSetArea", [64, 64, 0, 0, 1], mode=4)
    relink(document, between, "conditioning", 6, "CONDITIONING")
    relink(document, nodes["3"], "positive", 20, "CONDITIONING")


def bypassed_for_both(document, nodes):
    """A node with both prompts: each of its results is the input at the same place."""
    between = add(document, 20, "ControlNetApplyAdvanced", mode=4)
    relink(document, between, "positive", 6, "CONDITIONING")
    relink(document, between, "negative", 7, "CONDITIONING")
    relink(document, nodes["3"], "positive", 20, "CONDITIONING")
    relink(document, nodes["3"], "negative", 20, "CONDITIONING")
    document["links"][-1][2] = 1  # its second result


def rerouted(document, nodes):
    relink(document, add(document, 20, "Reroute"), "", 6)
    relink(document, nodes["3"], "positive", 20)


def muted(_, nodes):
    nodes["6"]["mode"] = 2


def transformed(document, nodes):
    """Nobody knows which of the values is what, nor what the node makes of the text."""
    add(document, 21, "PrimitiveString", ["a fox"])
    relink(document, add(document, 20, "ReplaceText", ["fox", "wolf"]), "text", 21)
    relink(document, nodes["6"], "text", 20)


def nested(document, _):
    document["definitions"] = {"subgraphs": [{"id": "a-b"}]}


def grouped(_, nodes):
    nodes["6"]["type"] = "workflow>my nodes"


def too_many(_, nodes):
    nodes["6"]["widgets_values"] = ["a fox", "a wolf"]


CHANGES = {
    "a primitive": (primitive, "a wolf"),
    "a bypassed node": (bypassed, "a fox"),
    "a bypassed node for both prompts": (bypassed_for_both, "a fox"),
    "a reroute": (rerouted, "a fox"),
    "a muted node": (muted, ""),
    "a text that is changed": (transformed, ""),
    "a graph inside": (nested, ""),
    "a group": (grouped, ""),
    "more values than names": (too_many, ""),
}


@pytest.mark.parametrize(("change", "prompt"), CHANGES.values(), ids=CHANGES)
def test_what_the_editor_changes_on_the_way_is_followed_or_left_open(change, prompt):
    source, found, negative, *_ = edited(change)
    assert (source, found) == ("ComfyUI", prompt)
    assert negative == ("" if change in (nested, grouped, muted) else "bad")


def test_a_graph_that_leaves_the_prompt_open_is_a_problem_that_is_named():
    document = in_editor(PLAIN)
    document["definitions"] = {"subgraphs": [{}]}
    reading = read_metadata(png({"workflow": document}))
    assert reading.problems == ("the graph of ComfyUI does not say which prompt made the image",)
    assert read_metadata(png({"workflow": in_editor(PLAIN)})).problems == ()


def test_the_graph_that_was_carried_out_counts_before_that_of_the_editor():
    document = in_editor({**PLAIN, "6": encoder("a wolf")})
    assert read({"prompt": PLAIN, "workflow": document})[1] == "a fox"


def test_a_large_graph_of_the_editor_takes_no_time():
    """Many inputs behind long chains of links: followed one by one, they would take minutes."""
    slots = [{"name": "a", "type": "other", "link": 1}] * 99
    nodes = [
        {"id": i, "type": "x", "mode": 4, "inputs": [*slots, {"type": "X", "link": i - 1}]}
        for i in range(1, 200)
    ]
    wanting = [{"name": f"cond{j}", "link": 100 + j} for j in range(100)]
    nodes += [{"id": 1000 + i, "type": "KSampler", "inputs": wanting} for i in range(1000)]
    document = {"nodes": nodes, "links": [[i, i, 0, 0, 0, "X"] for i in range(1, 200)]}
    assert comfyui.comfyui({"workflow": json.dumps(document)}).prompt == ""


@pytest.mark.parametrize("name", ["nodes", "links", "inputs", "widgets_values", "mode", "id"])
@pytest.mark.parametrize(
    "junk", [None, 1, "x", [], [[]], [None], {}, {"a": []}, [[1, 2, {}, 4, 5, 6]]]
)
def test_damaged_graphs_of_the_editor_do_no_harm(name, junk):
    document = in_editor(PLAIN)
    if name in document:
        document[name] = junk
    else:
        for one in document["nodes"]:
            one[name] = junk
    read({"workflow": document})


# --- other programs -------------------------------------------------------------------------------

TEMPLATE = "\nTemplate: a {red|blue}\nfox\nNegative Template: bad"
FOOOCUS = {
    "prompt": "a fox", "negative_prompt": "bad", "seed": "77", "resolution": "(512, 512)",
    "base_model": "juggernautXL", "steps": 30, "version": "Fooocus v2.2.0",
}  # fmt: skip
EASY = {
    "prompt": "a fox", "negative_prompt": "bad", "seed": "77", "width": "512", "height": "512",
    "num_inference_steps": "25", "use_stable_diffusion_model": "sd-v1-5",
}  # fmt: skip
SWARM = {
    "prompt": "a fox", "negativeprompt": "bad", "model": "sdxl", "seed": 77, "width": 512,
    "height": 512,
}  # fmt: skip
JOB = "Job ID: 3e7f0c12-aaaa-4bbb-8ccc-0123456789ab"
FOUND = ("a fox", "bad", 77, "512x512")
TEXT = f"a fox\nNegative prompt: bad\n{LINE}"
OTHERS = {
    "templates": ("AUTOMATIC1111", {"parameters": TEXT + TEMPLATE}, FOUND),
    "windows": ("AUTOMATIC1111", {"parameters": TEXT.replace("\n", "\r\n")}, FOUND),
    "no size": (
        "AUTOMATIC1111",
        {"parameters": f"a fox\nNegative prompt: bad\n{LINE.replace('Size: 512x512, ', '')}"},
        (*FOUND[:3], ""),
    ),
    "no prompt": (
        "AUTOMATIC1111", {"parameters": TEXT.removeprefix("a fox\n")}, ("", *FOUND[1:]),
    ),
    "Fooocus": ("Fooocus", {"parameters": FOOOCUS, "fooocus_scheme": "fooocus"}, FOUND),
    "Fooocus like AUTOMATIC1111": (
        "Fooocus",
        {"parameters": f"a fox\nNegative prompt: bad\n{LINE}, Version: Fooocus v2.5.0"},
        FOUND,
    ),
    "RuinedFooocus": (
        "RuinedFooocus",
        {"parameters": {"Prompt": "a fox", "Negative": "bad", "seed": 77, "width": 512,
                        "height": 512, "base_model_name": "x"}},
        FOUND,
    ),
    "SwarmUI": ("SwarmUI", {"parameters": {"sui_image_params": SWARM}}, FOUND),
    "Easy Diffusion": ("Easy Diffusion", EASY, FOUND),
    "Easy Diffusion, in words": (
        "Easy Diffusion",
        {"Prompt": "a fox", "Negative Prompt": "bad", "Seed": "77", "Width": "512",
         "Height": "512", "Stable Diffusion model": "x"},
        FOUND,
    ),
    "Midjourney": (
        "Midjourney",
        {"Description": f"a fox --ar 16:9 --no bad, worse --seed 77 --v 6.0 {JOB}"},
        ("a fox", "bad, worse", 77, "16:9"),
    ),
    "Midjourney, plain": ("Midjourney", {"Description": f"a fox {JOB}"}, ("a fox", "", None, "")),
    "InvokeAI": (
        "InvokeAI", {"Dream": '"a fox [bad]" -s 50 -S 77 -W 512 -H 512 -C 7.5 -A k_lms'}, FOUND,
    ),
    "Tensor.Art": (
        "Tensor.Art",
        {"generation_data": json.dumps({"prompt": "a fox", "negativePrompt": "bad",
         "seed": "77", "width": 512, "height": 512}) + " "},
        FOUND,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("source", "texts", "found"), OTHERS.values(), ids=OTHERS)
def test_other_programs(source, texts, found):
    assert read(texts) == (source, *found)


@pytest.mark.parametrize("values", [FOOOCUS, {"sui_image_params": SWARM}, EASY])
@pytest.mark.parametrize("file_format", ["jpeg", "webp", "png", "avif"])
def test_json_in_the_user_comment(values, file_format):
    tags = Image.Exif()
    tags.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + json.dumps(values).encode()
    record = read_metadata(encoded(file_format, exif=tags.tobytes())).record
    assert (record.prompt, record.negative_prompt, record.seed, record.size) == FOUND


# --- text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_text_in_utf_8_or_latin_1(encoding):
    prompt = "ein Füchslein im Café é"
    text = f"{prompt}\n{LINE}".encode(encoding)
    for data in (
        encoded("gif", comment=text),
        encoded("jpeg", comment=text),
        with_text(b"parameters\0" + text),
    ):
        assert read_metadata(data).record.prompt == prompt


def with_text(body):
    import struct
    import zlib

    chunk = b"tEXt" + body
    made = struct.pack(">I", len(body)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return IMAGES["png"][:33] + made + IMAGES["png"][33:]


def test_damaged_utf_8_stays_utf_8():
    assert read_text("写真 写真".encode()[:-1]) == "写真 写\ufffd"


# --- what is not read -----------------------------------------------------------------------------


def test_texts_that_are_not_understood_are_named():
    reading = read_metadata(png({"parameters": "{}", "workflow": "{}", "Software": "x"}))
    assert reading.unread == ("parameters", "workflow")
    assert read_metadata(png({"Author": "me", "date:create": "now"})).unread == ()
