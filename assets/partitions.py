"""The partitions of ingestion: one per collection."""

import dagster as dg

from rag_platform.partitions import collection_name as collection_name
from rag_platform.partitions import partition_key as partition_key

collection_partitions = dg.DynamicPartitionsDefinition(name="collection")
