"""Dagster resources, one file each: a resource builds one domain object."""
