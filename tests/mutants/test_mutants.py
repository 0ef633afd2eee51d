"""The run that plants faults: files and tests that are there, drawing, and what a diff changes."""

from __future__ import annotations

import sqlite3
import tomllib
from pathlib import Path

from tests.mutants.run import EQUIVALENT, TESTS, changed, draw
from tests.planting import ROOT


def test_files_and_tests_are_there() -> None:
    for file, tests in TESTS.items():
        package = file.partition("/")[0].replace("_", "-")
        assert (ROOT / "packages" / package / "src" / file).is_file(), file
        assert all((ROOT / path).exists() for path in tests), file
    assert set(tomllib.loads(EQUIVALENT.read_text("utf-8"))) <= set(TESTS)


def test_a_sample_is_drawn_and_annotations_are_left_out(tmp_path: Path) -> None:
    def session(sample: int, seed: int) -> list[str]:
        path = tmp_path / f"{sample}-{seed}.sqlite"
        with sqlite3.connect(path) as data:
            data.execute("CREATE TABLE work_items (job_id)")
            data.execute(
                "CREATE TABLE mutation_specs "
                "(job_id, operator_name, start_pos_row, start_pos_col, occurrence)"
            )
            for i in range(20):
                operator = "core/ReplaceBinaryOperator_" + ("BitOr_Add" if i % 2 else "Add_Sub")
                data.execute("INSERT INTO work_items VALUES (?)", (f"{i:02}",))
                data.execute(
                    "INSERT INTO mutation_specs VALUES (?, ?, ?, 0, 0)", (f"{i:02}", operator, i)
                )
        draw(path, sample, seed)
        with sqlite3.connect(path) as data:
            left = [job for (job,) in data.execute("SELECT job_id FROM mutation_specs")]
            assert left == [job for (job,) in data.execute("SELECT job_id FROM work_items")]
        return left

    assert session(0, 0) == [f"{i:02}" for i in range(0, 20, 2)]
    assert session(99, 0) == session(0, 1)
    few = session(3, 0)
    assert len(few) == 3
    assert set(few) < {f"{i:02}" for i in range(0, 20, 2)}
    assert few != session(3, 1)


def test_what_a_diff_changes() -> None:
    head = "--- mutation diff ---\n--- a/f.py\n+++ b/f.py\n@@ -1 +1 @@\n x = 1\n"
    diff = head + "\n-\n-    y = a + b\n+    y = a - b"
    assert changed(diff) == ("- y = a + b", "+ y = a - b")
