"""A fast encoder that finds less of what the team asks for does not come to serve."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from sqlalchemy import select

from rag_platform import status
from rag_platform.bootstrap import propose_generation
from rag_platform.embedding.files import ONNX, write_checksums
from rag_platform.evaluation.candidates import CandidateJudge
from rag_platform.index.promotion import VALIDATION_SET, promote_complete
from rag_platform.index.recipe import recipe_of
from rag_platform.ledger.serving import current_serving, live_generations
from rag_platform.ledger.tables import promotions
from rag_platform.settings import EmbeddingSettings

FACTS = {
    "cats": ("Felines sleep for most of the day.", "How long do cats rest?"),
    "trains": ("The railway departs hourly from platform nine.", "When can I travel by train?"),
    "bread": ("Loaves rise overnight before they go into the oven.", "How is bread baked?"),
    "moon": ("Tides are pulled by our planet's satellite.", "What does the moon do to the sea?"),
    "doctor": ("Physicians examine patients in the morning.", "At what time are the ill seen?"),
    "money": ("Salaries are paid on the last working day.", "When do employees get wages?"),
    "garden": ("Roses want pruning after the frost.", "How are flowers looked after in spring?"),
    "music": ("The orchestra rehearses symphonies weekly.", "How often do musicians practise?"),
    "cars": ("Vehicles are inspected every second year.", "How often is an automobile checked?"),
    "books": ("The library lends novels for a month.", "For how long may I borrow literature?"),
}


@pytest.fixture(params=["sqlite"])
def ledger_url(tmp_path: Path) -> str:
    """Nothing here depends on the database."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture(params=["good"])
def model_folder(request, model_folder: Path, tmp_path: Path) -> Path:
    """The model; spoiled, its int8 weights are noise of the same size."""
    if request.param == "good":
        return model_folder
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder, copy_function=os.link)
    path = folder / ONNX["int8"]
    graph = onnx.load(path)
    chance = np.random.default_rng(0)
    for weights in graph.graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype == np.int8 and values.ndim == 2:
            noise = chance.permutation(values.reshape(-1)).reshape(values.shape)
            weights.CopyFrom(numpy_helper.from_array(noise, weights.name))
    path.unlink()
    onnx.save(graph, path)
    (folder / "checksums.json").unlink()
    write_checksums(folder)
    return folder


@pytest.fixture
def fast(platform, bucket_folder):
    """The documents are indexed, and int8 is asked for and built."""
    (bucket_folder / "facts").mkdir()
    for name, (text, _) in FACTS.items():
        (bucket_folder / "facts" / f"{name}.txt").write_text(text)
    with platform.parser() as parser:
        pipeline = platform.pipeline(parser)
        pipeline.ingest("facts")
        platform.settings = platform.settings.model_copy(
            update={"embedding": EmbeddingSettings(precision="int8")}
        )
        propose_generation(platform)
        pipeline.ingest("facts")
        yield pipeline
        pipeline.chroma.close()


@pytest.fixture
def ask_team(platform):
    """The team's validation set."""
    lines = [
        json.dumps({"question": question, "document": f"facts/{name}.txt", "passages": [text]})
        for name, (text, question) in FACTS.items()
    ]
    platform.objects.put(VALIDATION_SET, "\n".join(lines).encode())


def _switch(platform):
    stores = (platform.ledger, platform.objects, platform.chroma)
    return promote_complete(
        *stores,
        recipe_of(platform.settings),
        requested_by="a test",
        judge=CandidateJudge(*stores, platform.encoders),
    )


def _serving(platform) -> str:
    with platform.ledger.read() as connection:
        serving = current_serving(connection)
    assert serving is not None
    return serving.generation.recipe.precision


def _decision(platform):
    with platform.ledger.read() as connection:
        return connection.execute(select(promotions).order_by(promotions.c.id.desc())).first()


@pytest.mark.parametrize("model_folder", ["spoiled"], indirect=True)
def test_one_that_loses_is_refused_and_what_serves_stays(platform, fast, ask_team):
    report = _switch(platform)
    assert not report.promoted
    assert "int8 encoder loses" in report.refused
    assert _serving(platform) == "fp32"
    decision = _decision(platform)
    assert decision.outcome == "refused"
    assert decision.reason == report.refused
    assert decision.metrics["questions"] == len(FACTS)
    assert decision.metrics["ndcg@10 of the candidate"] < decision.metrics["ndcg@10 of what serves"]
    assert "was refused: The int8 encoder loses" in " ".join(status._lines(platform))
    # It is gone, and is not built again for the same questions; for others it is.
    assert not any(name.startswith("generation-2-") for name in platform.chroma.names())
    propose_generation(platform)
    with platform.ledger.read() as connection:
        assert len(live_generations(connection)) == 1
    platform.objects.put(VALIDATION_SET, platform.objects.get(VALIDATION_SET) + b"\n")
    propose_generation(platform)
    with platform.ledger.read() as connection:
        assert len(live_generations(connection)) == 2


def test_one_that_finds_as_much_serves_with_its_figures_on_record(platform, fast, ask_team):
    assert _switch(platform).promoted
    assert _serving(platform) == "int8"
    decision = _decision(platform)
    assert decision.outcome == "promoted"
    assert "nDCG@10 on 10 questions" in decision.reason
    assert decision.metrics["ndcg@10 of the candidate"] > 0.5


def test_without_questions_it_serves_and_the_record_says_so(platform, fast):
    assert _switch(platform).promoted
    assert "by its parity only" in _decision(platform).reason


def test_questions_that_cannot_be_read_let_it_wait(platform, fast):
    platform.objects.put(VALIDATION_SET, b"{")
    report = _switch(platform)
    assert not report.promoted
    assert "cannot be judged" in report.waiting
    assert "line 1" in report.waiting
    assert _serving(platform) == "fp32"


def test_back_to_the_exact_encoder_nothing_is_asked(platform, fast, ask_team):
    assert _switch(platform).promoted
    platform.objects.put(VALIDATION_SET, b"{")
    platform.settings = platform.settings.model_copy(update={"embedding": EmbeddingSettings()})
    propose_generation(platform)
    fast.ingest("facts")
    assert _switch(platform).promoted
    assert _serving(platform) == "fp32"
