"""`python -m tensorgrad`."""

from __future__ import annotations

import sys

from tensorgrad.cli.entry import main

sys.exit(main())
