"""Dagster assets, what exists after each stage, and the checks that claim it."""
