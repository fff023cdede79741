"""Questions that come together are encoded together, each with its own vector."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rag_platform.embedding.batches import Batches
from rag_platform.embedding.encoder import Encoder
from rag_platform.embedding.files import ModelFiles


class Runs:
    """Doubles numbers; the first batch takes until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[list[int]]] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, batch: list[list[int]]) -> list[int]:
        self.batches.append(batch)
        self.begun.set()
        if len(self.batches) == 1:
            self.go.wait(30)
        if [13] in batch:
            raise ValueError("thirteen")
        return [2 * ids[0] for ids in batch]


def _together(runs: Runs, numbers: range, eventually) -> list:
    """The first number runs alone; the others come while it does."""
    batches = Batches(runs)
    with ThreadPoolExecutor(len(numbers)) as pool:
        first = pool.submit(batches, [numbers[0]])
        runs.begun.wait(30)
        others = [pool.submit(batches, [number]) for number in numbers[1:]]
        eventually(lambda: len(batches._waiting) == len(others))
        runs.go.set()
        return [first, *others]


def test_who_comes_alone_is_encoded_at_once():
    runs = Runs()
    runs.go.set()
    batches = Batches(runs)
    assert [batches([n]) for n in (1, 2, 3)] == [2, 4, 6]
    assert runs.batches == [[[1]], [[2]], [[3]]]


def test_who_comes_meanwhile_goes_with_the_next_batch(eventually):
    runs = Runs()
    futures = _together(runs, range(12), eventually)
    assert [future.result(30) for future in futures] == [2 * n for n in range(12)]
    assert [len(batch) for batch in runs.batches] == [1, 11]


def test_a_batch_is_bounded_and_nobody_is_forgotten(eventually):
    runs = Runs()
    futures = _together(runs, range(40, 90), eventually)
    assert [future.result(30) for future in futures] == [2 * n for n in range(40, 90)]
    assert max(len(batch) for batch in runs.batches) == 16


def test_a_failure_is_raised_for_all_of_its_batch_and_the_next_one_works(eventually):
    runs = Runs()
    futures = _together(runs, range(10, 15), eventually)
    assert futures[0].result(30) == 20
    for future in futures[1:]:
        with pytest.raises(ValueError, match="thirteen"):
            future.result(30)
    assert Batches(runs)([4]) == 8


def test_questions_asked_at_once_have_the_vectors_that_they_have_alone(model_folder):
    files = ModelFiles(model_folder, "embedder", "1")
    questions = [f"How long is leave number {n}{' or so' * n}?" for n in range(24)]
    alone = Encoder(files, threads=2)
    expected = [alone.encode_query(question) for question in questions]
    encoder = Encoder(files, threads=2)
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(encoder.encode_query, questions))
    assert np.abs(np.stack(found) - np.stack(expected)).max() <= 1e-6
