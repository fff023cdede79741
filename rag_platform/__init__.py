"""The library and the services. Nothing in here knows Dagster, except ``definitions``."""

__version__ = "0.1.0"

EXAMPLE_QUESTION = "How do I add a document?"
"""What the start and the empty page suggest to ask; the sample documents answer it."""
