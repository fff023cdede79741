"""The embedding model: its files, the encoder that serves it, and the vectors it made."""
