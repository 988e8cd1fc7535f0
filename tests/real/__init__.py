"""Tests against the real programs; run them by ``tests/sandbox PYTHON -m pytest tests/real``."""
