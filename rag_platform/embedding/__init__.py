"""The embedding model: its files, the encoder that serves it, and the vectors it made."""

import os

# Before anything imports it: otherwise it keeps a database of events in the user's home.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
