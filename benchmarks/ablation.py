"""What each ingredient of the search adds, on questions with known answers."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from rag_platform.evaluation.datasets import open_dataset
from rag_platform.evaluation.evaluating import Measure, opened, prepared
from rag_platform.evaluation.runner import ask
from rag_platform.retrieval.settings import RetrievalSettings
from rag_platform.settings import PlatformSettings, Settings

_PLAIN = replace(RetrievalSettings(), neighbour_weight=0.0, k1=1.2)
_STEPS = {
    "keywords, k1 = 1.2": replace(_PLAIN, dense_weight=0.0),
    "vectors": replace(_PLAIN, dense_weight=1.0),
    "both, half and half": _PLAIN,
    "k1 = 0.1": replace(_PLAIN, k1=0.1),
    "neighbours": replace(_PLAIN, k1=0.1, neighbour_weight=0.2),
}
_SHOWN = {
    "spans": ("text-recall@4000chars", "first-hit", "ndcg@10"),
    "medquad-cancergov": ("ndcg@10", "recall@5"),
}
_WITHIN = 0.9
"""A chunk of an article answers if so much of it lies in the answer, which has many chunks."""


def ablation(folder: Path, data: Path) -> list[Figure]:
    """The mean over documents for ``spans``, over questions for the many articles."""
    home = Settings.load().model_copy(update={"platform": PlatformSettings(home=folder / "home")})
    figures: list[Figure] = []
    for name, shown in _SHOWN.items():
        dataset = open_dataset(data / name, "")
        measure = Measure(min_overlap=0.0 if name == "spans" else _WITHIN)
        with opened(home, dataset) as corpus:
            asked, _ = prepared(corpus, dataset, measure)
            for step, settings in _STEPS.items():
                found: dict[str, list[dict[str, float]]] = {}
                for question in asked:
                    group = question.group if name == "spans" else ""
                    one = ask(corpus.search, question, settings).figures
                    found.setdefault(group, []).append(one)
                for figure in shown:
                    means = [np.mean([one[figure] for one in group]) for group in found.values()]
                    figures.append(Figure(f"{name}, {step}, {figure}", float(np.mean(means)), ""))
    return figures
