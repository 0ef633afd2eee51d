"""`python -m smolml` is the `smolml` command."""

import sys

from smolml.cli import main

sys.exit(main())
