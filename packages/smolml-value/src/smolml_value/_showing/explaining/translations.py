"""What explanations and drawings say, in English and in Spanish."""

from __future__ import annotations

import re
from typing import Final, Literal

Language = Literal["en", "es"]

_WORDS: Final = {
    "title": (
        "How the gradient of {name} gets to its inputs",
        "Cómo llega el gradiente de {name} a sus entradas",
    ),
    "start": ("Start at the end: {grad} = {g}.", "Empezar por el final: {grad} = {g}."),
    "op": (
        "{expression} has {grad} = {g} and passes it back:",
        "{expression} tiene {grad} = {g} y lo pasa hacia atrás:",
    ),
    "folded": ("{n} more steps of the same kind: {ops}.", "{n} pasos más del mismo tipo: {ops}."),
    "end": ("Everything has its gradient: {gradients}.", "Todo tiene su gradiente: {gradients}."),
    "others": ("{n} more", "{n} más"),
    "adds": (
        "{partial}, so {grad} += {product}; {now}",
        "{partial}, así que {grad} += {product}; {now}",
    ),
    "adds_rule": ("{grad} += {product}; {now}", "{grad} += {product}; {now}"),
    "now": ("now {grad} = {g}", "ahora {grad} = {g}"),
    "before": (
        "backward() adds this to what is there: {changes}.",
        "backward() suma esto a lo que ya hay: {changes}.",
    ),
    "again": (
        "They hold this already, as after backward(); another one would add it again: {changes}.",
        "Ya lo tienen, como tras backward(); otro más lo sumaría de nuevo: {changes}.",
    ),
    "step": ("step", "paso"),
    "node": ("operation", "operación"),
    "cotangent": ("its gradient", "su gradiente"),
    "partial": ("local partial", "derivada parcial local"),
    "sends": ("adds", "suma"),
    "gradient": ("gradient so far", "gradiente hasta ahora"),
    # Drawings. What has two forms is counted.
    "graph": ("computational graph", "grafo de cálculo"),
    "boxes": ("1 box|{n} boxes", "1 caja|{n} cajas"),
    "boxes_for": ("{boxes} for {nodes}", "{boxes} para {nodes}"),
    "nodes": ("1 node|{n} nodes", "1 nodo|{n} nodos"),
    "more_nodes": ("1 more node|{n} more nodes", "1 nodo más|{n} nodos más"),
    "over": ("over {nodes}", "más de {nodes}"),
    "at_least": ("more than {nodes}", "más de {nodes}"),
    "values": ("1 value|{n} values", "1 valor|{n} valores"),
    "arrays": ("1 array|{n} arrays", "1 array|{n} arrays"),
    "edges": ("1 edge|{n} edges", "1 arista|{n} aristas"),
    "constant": ("constant", "constante"),
    "shape": ("shape", "forma"),
    # Of the numbers of an array.
    "all": ("all", "todo"),
    "empty": ("empty", "vacío"),
    "has_nan": ("has nan", "contiene nan"),
    "not_kept": ("not kept", "no guardado"),
}

# What else happens to a cotangent on its way to an operand.
_NOTES: Final = {
    "summed": ("summed up to the shape {details}", "sumado hasta la forma {details}"),
    "each": ("to each element", "a cada elemento"),
    "first_max": ("to the first largest element", "al primer elemento más grande"),
    "first_min": ("to the first smallest element", "al primer elemento más pequeño"),
    "back": ("put back in shape", "devuelto a su forma"),
    "at": ("at {details}", "en {details}"),
    "elsewhere": ("except at {details}", "salvo en {details}"),
    "part": ("its part", "su parte"),
    "element": ("its element", "su elemento"),
}


def _by_language(texts: dict[str, tuple[str, str]]) -> dict[str, dict[str, str]]:
    return {
        language: {name: pair[i] for name, pair in texts.items()}
        for i, language in enumerate(("en", "es"))
    }


WORDS: Final = _by_language(_WORDS)
NOTES: Final = _by_language(_NOTES)


def said(text: str, language: Language) -> str:
    """A text of a node in that language: of its words, which stand in braces, the translation.

    >>> said("{all} 0", "es")
    'todo 0'
    """
    return re.sub(r"\{(\w+)\}", lambda word: WORDS[language].get(word[1], word[0]), text)
