"""Reads graphs of ComfyUI by following their links from the saved image back to prompt and seed.

A value is taken only where the links lead to it. Where they end at a node whose result the file
does not have, such as a language model, or at several texts, the prompt stays empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from typing import TypeAlias

from flux_cli.core.model import Json
from flux_cli.images.metadata.comfyui_editor import carried_out, documents
from flux_cli.images.metadata.record import Record, record_of

Node: TypeAlias = Mapping[str, Json]  # the inputs of a node, which are values or links
Graph: TypeAlias = Mapping[str, Node]  # by number

KIND = "class_type"  # of a node; kept among its inputs, where no other has this name
POSITIVE, NEGATIVE = "positive", "negative"
ROLES = {  # inputs of nodes with both prompts, which lead to this one or hold it
    POSITIVE: ("positive", "positive_prompt"),
    NEGATIVE: ("negative", "negative_prompt", "neg_conditioning"),
}
FINAL = "populated_text"  # what became of wildcards
# Inputs that hold the text of a node, the one that decides first.
TEXTS = (
    FINAL, "text", "t5xxl", "llama", "mt5xl", "text_g", "clip_g", "clip_l", "text_l",
    "prompt", "user_prompt", "string", "value",
)  # fmt: skip
# Inputs that lead to a text encoder: a node with one of them uses its text as it is.
ENCODERS = ("clip", "opt_clip", "text_encoders", "t5")
# All inputs that other nodes have if their result is their text.
OF_TEXT = {KIND, *TEXTS, *ROLES[POSITIVE], *ROLES[NEGATIVE]}
# Nodes that join texts: the names of the texts, and of what stands between them.
JOINED = {
    "StringConcatenate": ("string_a", "string_b", "delimiter"),
    "JoinStrings": ("string1", "string2", "delimiter"),
    "CR Text Concatenate": ("text1", "text2", "separator"),
}
ERASED = ("ConditioningZeroOut",)  # nodes after which nothing of a prompt is left
# Links that lead to no prompt.
RESOURCES = (
    "clip", "clip_vision", "clip_vision_output", "control_net", "image", "latent", "latent_image",
    "mask", "model", "noise", "pixels", "sampler", "samples", "sigmas", "start_image",
    "style_model", "vae",
)  # fmt: skip
PIPES = ("guider", "pipe", "basic_pipe", "text_embeds", "sdxl_tuple")  # they lead to both prompts
SEEDS = ("seed", "noise_seed", "value", "int", "number", "noise")
SIZES = ("latent_image", "latent", "samples", "optional_latent")  # links that lead to the size
MODELS = ("ckpt_name", "unet_name", "model_name")
PARAMETERS = ("steps", "cfg", "sampler_name", "scheduler")
_SAVER = re.compile("save|preview", re.IGNORECASE)  # in the names of nodes that write images
MAX_SAMPLERS = 20  # that are read; real graphs have a few
MAX_HOPS = 100  # links that are followed from one node; real graphs need a handful


def comfyui(texts: Mapping[str, str]) -> Record | None:
    """The graph in `prompt`, else the one that the editor keeps in `workflow`."""
    for_editor = map(carried_out, documents(texts, "workflow"))
    for document in chain(documents(texts, "prompt"), for_editor):
        if graph := _graph(document):
            return _record(graph)
    return None


def _record(graph: Graph) -> Record:
    samplers = _samplers(graph)
    first = _first(graph, samplers)
    nearest = _nearest(graph, first, (*MODELS, *PARAMETERS))
    parameters = {name: nearest[name] for name in PARAMETERS if name in nearest}
    model = next((nearest[name] for name in MODELS if name in nearest), None)
    return record_of(
        {
            "model": model,
            "prompt": _agreed(graph, samplers, POSITIVE),
            "negative_prompt": _agreed(graph, samplers, NEGATIVE),
            "seed": _number(graph, first, SEEDS),
            "size": _size(graph, first),
            "tool": "ComfyUI",
        },
        parameters,
    )


def _graph(document: Json) -> Graph:
    """The inputs of the nodes of a graph, by number; empty if it is not a graph."""
    if not isinstance(document, Mapping):
        return {}
    graph: dict[str, Node] = {}
    for number, node in document.items():
        if isinstance(node, Mapping) and KIND in node:
            inputs = node.get("inputs")
            kind = {KIND: str(node[KIND])}
            graph[number] = {**inputs, **kind} if isinstance(inputs, Mapping) else kind
    return graph


def _linked(graph: Graph, value: Json) -> Node | None:
    """The node that a link leads to; None for a value, or a link to nowhere."""
    if isinstance(value, list) and len(value) == 2:
        return graph.get(str(value[0]))
    return None


def _before(graph: Graph, *starts: Node) -> Iterator[Node]:
    """These nodes and all nodes before them, the nearest first, each once."""
    seen, waiting = set(map(id, starts)), list(starts)
    for node in waiting:
        yield node
        for linked in _links(graph, node, node):
            if id(linked) not in seen:
                seen.add(id(linked))
                waiting.append(linked)


def _links(graph: Graph, node: Node, names: Iterable[str]) -> list[Node]:
    """The nodes that the inputs with these names lead to."""
    linked = (_linked(graph, node.get(name)) for name in names)
    return [one for one in linked if one is not None]


def _samplers(graph: Graph) -> list[Node]:
    """The nodes that make the image: samplers before a node that saves, else all samplers.

    If there are none, those whose image is saved: they send the prompt to a provider.
    """
    savers = [node for node in graph.values() if _SAVER.search(str(node[KIND]))]
    for starts in (savers, graph.values()):
        if found := [node for node in _before(graph, *starts) if _is_sampler(node)]:
            return found[:MAX_SAMPLERS]
    makers = {id(maker): maker for node in savers for maker in _links(graph, node, ("images",))}
    return list(makers.values())[:MAX_SAMPLERS]


def _is_sampler(node: Node) -> bool:
    is_guided = any(name in node for name in (POSITIVE, "conditioning", *PIPES))
    return "guider" in node or (is_guided and ("seed" in node or "noise_seed" in node))


def _first(graph: Graph, samplers: list[Node]) -> Node:
    """The sampler that begins the image; an empty node if there are several, or none."""
    numbers = {id(sampler) for sampler in samplers}
    firsts = []
    for sampler in samplers:
        _, *before = _before(graph, sampler)
        if numbers.isdisjoint(map(id, before)):
            firsts.append(sampler)
    return firsts[0] if len(firsts) == 1 else {}


def _nearest(graph: Graph, start: Node, names: tuple[str, ...]) -> dict[str, Json]:
    """The plain inputs with these names, each of the nearest node before `start` that has it."""
    found: dict[str, Json] = {}
    for node in _before(graph, start):
        for name in names:
            value = node.get(name)
            if value and isinstance(value, str | int | float):
                found.setdefault(name, value)
    return found


def _number(graph: Graph, node: Node | None, names: tuple[str, ...]) -> int | None:
    """The integer under one of these names, in a node or where its link leads."""
    for _ in range(MAX_HOPS):
        if node is None:
            break
        value = next((node[name] for name in names if name in node), None)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        node = _linked(graph, value)
    return None


def _size(graph: Graph, node: Node) -> str:
    """Width and height of the empty image with which a sampler begins; "" if it is not empty."""
    for _ in range(MAX_HOPS):
        sides = [_side(graph, node, name) for name in ("width", "height")]
        if all(sides):
            return f"{sides[0]}x{sides[1]}"
        node = next(iter(_links(graph, node, SIZES)), {})
    return ""


def _side(graph: Graph, node: Node, name: str) -> int | None:
    linked = _linked(graph, node.get(name))
    return _number(graph, node, (name,)) if linked is None else _number(graph, linked, SEEDS)


def _conditionings(node: Node) -> list[str]:
    """The names of inputs that lead to one prompt or several, without saying in which role."""
    return [name for name in node if name.startswith("cond")]


class _UnknownTextError(Exception):
    """The graph does not say what the text is."""


def _agreed(graph: Graph, samplers: list[Node], role: str) -> str:
    """The one prompt of all samplers in a role; "" if they have several, or one is not known."""
    with suppress(_UnknownTextError):
        found = set().union(*(_Prompts(graph, role).of_both(one) for one in samplers)) - {""}
        return found.pop() if len(found) == 1 else ""
    return ""


class _Prompts:
    """Finds the texts that lead to a node, in one role. Raises _UnknownTextError."""

    def __init__(self, graph: Graph, role: str) -> None:
        self._graph, self._role = graph, role
        self._texts = (*ROLES[role], *TEXTS)
        self._seen: set[int] = set()
        self._hops = 0

    def of_both(self, node: Node) -> set[str]:
        """The texts of a node with both prompts, such as a sampler, a guider, or a loader."""
        if not self._is_new(node):
            return set()
        name = next((name for name in ROLES[self._role] if name in node), "")
        if name:
            return self._of_value(node[name])
        pipes = _links(self._graph, node, PIPES)
        if pipes or self._role == NEGATIVE:
            return set().union(*map(self.of_both, pipes))
        links = _links(self._graph, node, _conditionings(node))
        return set().union(*map(self._of_one, links)) if links else {self._text(node)}

    def _of_value(self, value: Json) -> set[str]:
        if isinstance(value, str):
            return {value}
        linked = _linked(self._graph, value)
        return set() if linked is None else self._of_one(linked)

    def _of_one(self, node: Node) -> set[str]:
        """The texts of a node with the prompt of this role, such as a text encoder."""
        if any(name in node for name in (*ROLES[self._role], *PIPES)):
            return self.of_both(node)
        if node[KIND] in ERASED or not self._is_new(node):
            return set()
        links = _links(self._graph, node, _conditionings(node))
        texts = set().union(*map(self._of_one, links))
        if any(name in node for name in TEXTS) or node[KIND] in JOINED:
            return texts | {self._text(node)}
        return texts if links else self._of_one(self._passed(node))

    def _text(self, node: Node) -> str:
        """The text of a node that has one, or gets it from another."""
        kind = str(node[KIND])
        if kind in JOINED:
            *parts, between = (self._part(node.get(name, "")) for name in JOINED[kind])
            return between.join(parts)
        names = [name for name in self._texts if name in node]
        if not names:
            return self._part_of(self._passed(node))
        name = next((name for name in names if node[name] != ""), "")
        is_plain = name == FINAL or OF_TEXT.issuperset(node) or any(map(node.get, ENCODERS))
        if not is_plain:
            raise _UnknownTextError
        return self._part(node.get(name, ""))

    def _part(self, value: Json) -> str:
        """A text, or that of the node that a link leads to."""
        if isinstance(value, str):
            return value
        linked = _linked(self._graph, value)
        if linked is None:
            raise _UnknownTextError
        return self._part_of(linked)

    def _part_of(self, node: Node) -> str:
        self._hop()
        return self._text(node)

    def _is_new(self, node: Node) -> bool:
        """Whether the node is met for the first time."""
        self._hop()
        count = len(self._seen)
        self._seen.add(id(node))
        return len(self._seen) > count

    def _hop(self) -> None:
        self._hops += 1
        if self._hops > MAX_HOPS:
            raise _UnknownTextError

    def _passed(self, node: Node) -> Node:
        """The node whose result another one passes on."""
        chosen = f"input{node.get('select')}"
        others = [name for name in node if name not in RESOURCES]
        links = _links(self._graph, node, [chosen] if chosen in node else others)
        if len(links) != 1:
            raise _UnknownTextError
        return links[0]
