"""tracesplice adapter for Celery: tasks go on in the trace that they were handed out in."""

from __future__ import annotations

from tracesplice_celery._signals import install, uninstall

__all__ = ["install", "uninstall"]
