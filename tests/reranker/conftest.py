"""Cross-encoders of random numbers, small enough to be made in a test."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rag_platform.embedding.files import verified_package
from rag_platform.reranker.export import export
from rag_platform.reranker.files import RerankerFiles


@pytest.fixture(scope="session")
def random_cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes one of an architecture, with scores that differ from pair to pair."""

    def make(kind: str = "Bert", labels: int = 1, **more: object) -> Path:
        import torch
        import transformers

        torch.manual_seed(0)
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(verified_package()))
        config = getattr(transformers, f"{kind}Config")(
            vocab_size=tokenizer.vocab_size,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            num_labels=labels,
            initializer_range=0.4,
            pad_token_id=tokenizer.pad_token_id,
            **more,
        )
        model = getattr(transformers, f"{kind}ForSequenceClassification")(config)
        folder = tmp_path_factory.mktemp(f"{kind}-{labels}")
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def exported(random_cross_encoder, tmp_path_factory: pytest.TempPathFactory) -> RerankerFiles:
    """One that is exported, not to be changed."""
    files = RerankerFiles.of(tmp_path_factory.mktemp("models"), str(random_cross_encoder()))
    export(files)
    return files


@pytest.fixture
def files_of(tmp_path: Path) -> Callable[[Path | str], RerankerFiles]:
    """Where the export of a model goes."""
    return lambda source: RerankerFiles.of(tmp_path / "models", str(source))
