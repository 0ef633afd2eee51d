"""`hatch run site:test [FOLDER]`: the tests of the built site in FOLDER, site/ unless given."""

from __future__ import annotations

import os
import sys

import pytest

folder, *options = sys.argv[1:] or ["site"]
os.environ["SMOLML_SITE"] = folder
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "--durations=3", "tests/site", *options]))
