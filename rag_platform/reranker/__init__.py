"""The reranker: a cross-encoder that reads question and passage together, its files and export."""
