"""The notebook of the examples, in both languages: it runs, and shows what its text says."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import ipykernel  # noqa: F401  # what runs the cells
import matplotlib  # noqa: F401  # used in the notebook
import nbformat
import pytest
from nbclient import NotebookClient

from tests.docs.markdown import Words

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = {
    "en": EXAMPLES / "from_scalars_to_arrays.ipynb",
    "es": EXAMPLES / "from_scalars_to_arrays.es.ipynb",
}
OUT = {"en": "out -0.1974, gradients", "es": "salida -0.1974, gradientes"}
# Where figures have words.
_CAPTIONS = frozenset({"title", "xlabel", "ylabel", "label"})


def read(language: str) -> Any:
    return nbformat.read(NOTEBOOKS[language], as_version=4)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module", params=NOTEBOOKS)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def cells(language: str) -> list[Any]:
    book = read(language)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MPLBACKEND", raising=False)  # the kernel has its own, which shows figures
        NotebookClient(book, timeout=120, kernel_name="python3").execute()
    return [cell for cell in book.cells if cell.cell_type == "code"]


def printed(cells: list[Any]) -> str:
    """All that was printed; libraries say things on stderr, and a print may come in pieces."""
    outputs = [output for cell in cells for output in cell.outputs]
    return "".join(output.text for output in outputs if output.get("name") == "stdout")


def shown(cells: list[Any], source: str) -> Any:
    """The bundle that the cell with this source displays at its end."""
    (cell,) = (cell for cell in cells if source in cell.source)
    return [output.data for output in cell.outputs if "data" in output][-1]


def test_it_is_kept_without_outputs(language: str) -> None:
    for cell in read(language).cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


class _Captions(ast.NodeTransformer):
    """Takes out the words of figures: of `axes.set(title="Loss")`, and of a colour bar."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("set", "colorbar"):
            node.keywords = [word for word in node.keywords if word.arg not in _CAPTIONS]
        return self.generic_visit(node)


def _trees(language: str) -> list[str]:
    """The cells: those of code without comments and words, of the others only that they are."""
    return [
        ast.dump(Words().visit(_Captions().visit(ast.parse(cell.source))))
        if cell.cell_type == "code"
        else cell.source.partition(" ")[0] * cell.source.startswith("#")
        for cell in read(language).cells
    ]


def test_both_languages_are_the_same_program() -> None:
    assert _trees("en") == _trees("es")
    texts = [
        {cell.source for cell in read(language).cells if cell.cell_type == "markdown"}
        for language in NOTEBOOKS
    ]
    assert texts[0].isdisjoint(texts[1])


def test_it_prints_what_its_text_says(cells: list[Any], language: str) -> None:
    text = printed(cells)
    for line in (
        "3.0 2.0 1.0",
        "10.0 [3.0, 2.0, 1.0]",
        f"{OUT[language]} 1.9221 0.0000 0.9610",
        "True -0.5 True",
        "61.0",
        "(4, 2) (2,) -> [4.0, 4.0]",
    ):
        assert line + "\n" in text


def test_it_learns(cells: list[Any]) -> None:
    low, high, high_too, low_too = eval(printed(cells).splitlines()[-1])
    assert max(low, low_too) < 0.1
    assert min(high, high_too) > 0.9


def test_it_shows_graphs_steps_and_a_picture(cells: list[Any]) -> None:
    assert "</svg>" in shown(cells, "draw(y)")["image/svg+xml"]
    assert "</svg>" in shown(cells, "draw(neuron)")["image/svg+xml"]
    assert "html" in "".join(shown(cells, "explain(y"))
    assert "image/png" in shown(cells, "plt.show()")
