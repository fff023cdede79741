"""Retrieval: the one search that the service, evaluations and the command line call."""
