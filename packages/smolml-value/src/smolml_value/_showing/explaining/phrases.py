"""A step as texts, from which all forms of an explanation are put together."""

from __future__ import annotations

from typing import Any

from smolml_value._showing import protocol
from smolml_value._showing.explaining.steps import Contribution, Step
from smolml_value._showing.explaining.translations import NOTES, WORDS, Language, said
from smolml_value._showing.numerals import bracketed


def short(number: Any, language: Language) -> str:
    """A gradient or a partial as a short text."""
    return said(protocol.short(number), language)


def grad_of(name: str) -> str:
    """What the gradient of a node is called.

    >>> grad_of("a"), grad_of("v1 + v2")
    ('a.grad', '(v1 + v2).grad')
    """
    is_plain = all(part.isidentifier() for part in name.split(".")) or name.endswith("]")
    return f"{name}.grad" if is_plain else f"({name}).grad"


def partial_text(step: Step, c: Contribution, language: Language) -> str:
    """The partial as formula and number: "∂d/∂a = b = 3"."""
    if not c.is_partial:
        return c.formula
    number = "" if c.partial is None else short(c.partial, language)
    texts = [f"∂{step.name}/∂{c.name}", c.formula, number if number != c.formula else ""]
    return " = ".join(t for t in texts if t)


def product_text(step: Step, c: Contribution, language: Language) -> str:
    """What is added: "3 · 1 = 3"."""
    amount = short(c.contribution, language)
    if c.is_partial and isinstance(c.partial, float | int) and isinstance(step.cotangent, float):
        factors = (bracketed(short(x, language)) for x in (c.partial, step.cotangent))
        return f"{' · '.join(factors)} = {amount}"
    left = ""
    if c.is_partial:
        factor = short(c.partial, language) if isinstance(c.partial, float | int) else ""
        factor = factor or c.formula or f"∂{step.name}/∂{c.name}"
        left = f"{f'({factor})' if ' ' in factor else bracketed(factor)} · {grad_of(step.name)}"
    elif c.formula:
        left = c.formula
    text = f"{left} = {amount}" if left else amount
    note = NOTES[language][c.note].format(details=c.details) if c.note else ""
    return f"{text} ({note})" if note else text


def headline(step: Step, language: Language) -> str:
    """What a step says before it lists what is added to which operand."""
    words = WORDS[language]
    if step.kind in ("start", "op"):
        expression = f"{step.name} = {step.expression}"
        grad, g = grad_of(step.name), short(step.cotangent, language)
        return words[step.kind].format(expression=expression, grad=grad, g=g)
    if step.kind == "folded":
        ops = ", ".join(f"{op} ×{n:,}" for op, n in step.folded)
        return words["folded"].format(n=f"{sum(n for _, n in step.folded):,}", ops=ops)
    found = [f"{grad_of(x.name)} = {short(x.added, language)}" for x in step.gradients]
    if step.left_out:
        found.append(words["others"].format(n=f"{step.left_out:,}"))
    text = words["end"].format(gradients=", ".join(found))
    held = [x for x in step.gradients if protocol.is_nonzero(x.before)]
    changes = [
        f"{grad_of(x.name)} {short(x.before, language)} → {short(x.before + x.added, language)}"
        for x in held
    ]
    if changes:
        has_run = not any(protocol.is_nonzero(x.before - x.added) for x in held)
        text += " " + words["again" if has_run else "before"].format(changes=", ".join(changes))
    return text


def contribution_text(step: Step, c: Contribution, language: Language) -> str:
    """One line of a step."""
    form = WORDS[language]["adds" if c.is_partial else "adds_rule"]
    return form.format(
        partial=partial_text(step, c, language),
        grad=grad_of(c.name),
        product=product_text(step, c, language),
        now=now_text(c, language),
    )


def now_text(c: Contribution, language: Language) -> str:
    """The gradient so far."""
    return WORDS[language]["now"].format(grad=grad_of(c.name), g=short(c.gradient, language))
