"""Bulk ingestion in one process: files into the bucket, and from there into the indexes."""
