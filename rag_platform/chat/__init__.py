"""Answering: the prompt, the language models, and the one function that answers."""
