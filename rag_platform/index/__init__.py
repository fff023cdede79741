"""The indexes, vectors in Chroma and keywords in memory: disposable projections of the ledger."""
