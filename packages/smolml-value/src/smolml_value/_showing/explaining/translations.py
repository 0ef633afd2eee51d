"""What explanations say, in English and in Spanish."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["en", "es"]

WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "title": "How the gradient of {name} gets to its inputs",
        "start": "Start at the end: {grad} = {g}.",
        "op": "{expression} has {grad} = {g} and passes it back:",
        "folded": "{n} more steps of the same kind: {ops}.",
        "end": "Everything has its gradient: {gradients}.",
        "end_none": "{name} depends on nothing: there is nothing to do.",
        "others": "{n} more",
        "adds": "{partial}, so {grad} += {product}; {now}",
        "adds_rule": "{grad} += {product}; {now}",
        "now": "now {grad} = {g}",
        "before": "backward() adds this to what is there: {changes}.",
        "step": "step",
        "node": "operation",
        "cotangent": "its gradient",
        "partial": "local partial",
        "sends": "adds",
        "gradient": "gradient so far",
    },
    "es": {
        "title": "Cómo llega el gradiente de {name} a sus entradas",
        "start": "Empezar por el final: {grad} = {g}.",
        "op": "{expression} tiene {grad} = {g} y lo pasa hacia atrás:",
        "folded": "{n} pasos más del mismo tipo: {ops}.",
        "end": "Todo tiene su gradiente: {gradients}.",
        "end_none": "{name} no depende de nada: no hay nada que hacer.",
        "others": "{n} más",
        "adds": "{partial}, así que {grad} += {product}; {now}",
        "adds_rule": "{grad} += {product}; {now}",
        "now": "ahora {grad} = {g}",
        "before": "backward() suma esto a lo que ya hay: {changes}.",
        "step": "paso",
        "node": "operación",
        "cotangent": "su gradiente",
        "partial": "derivada parcial local",
        "sends": "suma",
        "gradient": "gradiente hasta ahora",
    },
}

NOTES: Final[dict[str, dict[str, str]]] = {
    "en": {
        "summed": "summed up to the shape {details}",
        "each": "to each element",
        "first_max": "to the first largest element",
        "first_min": "to the first smallest element",
        "back": "put back in shape",
        "at": "at {details}",
        "elsewhere": "except at {details}",
        "part": "its part",
        "element": "its element",
    },
    "es": {
        "summed": "sumado hasta la forma {details}",
        "each": "a cada elemento",
        "first_max": "al primer elemento más grande",
        "first_min": "al primer elemento más pequeño",
        "back": "devuelto a su forma",
        "at": "en {details}",
        "elsewhere": "salvo en {details}",
        "part": "su parte",
        "element": "su elemento",
    },
}
"""What else happens to a cotangent on its way to an operand."""
