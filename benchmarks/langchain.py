"""What a user would pick: LangChain's loaders, splitter, embeddings and vector store.

Installed by the extra ``bench``. The same model, the same size of a chunk, the same threads.
"""

import time
from pathlib import Path
from typing import Any


class LangChain:
    """Documents to vectors in a Chroma folder."""

    def __init__(self, model: Path, threads: int) -> None:
        import torch
        from langchain_huggingface import HuggingFaceEmbeddings
        from langchain_text_splitters import RecursiveCharacterTextSplitter
        from transformers import AutoTokenizer

        torch.set_num_threads(threads)
        self._embeddings: Any = HuggingFaceEmbeddings(
            model_name=str(model), model_kwargs={"device": "cpu"}
        )
        self._embeddings.embed_query("warm")
        self._splitter = RecursiveCharacterTextSplitter.from_huggingface_tokenizer(
            AutoTokenizer.from_pretrained(str(model)), chunk_size=200, chunk_overlap=0
        )
        self.seconds = 0.0
        """Of embedding."""
        embed = self._embeddings.embed_documents

        def timed(texts: list[str]) -> Any:
            started = time.perf_counter()
            vectors = embed(texts)
            self.seconds += time.perf_counter() - started
            return vectors

        object.__setattr__(self._embeddings, "embed_documents", timed)

    def ingest(self, files: list[Path], folder: Path) -> int:
        """Load, split, embed and store; returns how many chunks."""
        from langchain_chroma import Chroma
        from langchain_community.document_loaders import PyPDFLoader, TextLoader

        documents: list[Any] = []
        for file in files:
            loader = PyPDFLoader(str(file)) if file.suffix == ".pdf" else TextLoader(str(file))
            documents += loader.load()
        chunks = self._splitter.split_documents(documents)
        Chroma.from_documents(chunks, self._embeddings, persist_directory=str(folder))
        return len(chunks)
