"""Measurements, and the real stack that they and the integration tests run."""
