"""How long a test waits for what has to come.

Long, because a machine may be ten times slower than the one a test was written on.
"""

from __future__ import annotations

__all__ = ["PATIENCE"]

PATIENCE = 600.0  # seconds
