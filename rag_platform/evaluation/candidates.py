"""Whether a candidate with the fast encoder may serve: the team's questions, asked of both sides.

It may lose half a percent of nDCG@10. The loss is the mean over the team's questions and nothing
is added for chance: the burden is on the side that is only faster. The interval is recorded.
"""

from dataclasses import dataclass

import numpy as np

from rag_platform.embedding.models import Encoders
from rag_platform.errors import InvalidRequest
from rag_platform.evaluation.datasets import Dataset
from rag_platform.evaluation.evaluating import Measure, live_corpus, prepared
from rag_platform.evaluation.intervals import Values, mean_estimates
from rag_platform.evaluation.runner import ask
from rag_platform.evaluation.team import NAME, team_dataset
from rag_platform.index.chroma import Chroma
from rag_platform.index.promotion import Verdict
from rag_platform.ledger import Ledger
from rag_platform.ledger.generations import Generation
from rag_platform.objects import Objects
from rag_platform.retrieval.search import Search

ALLOWED_LOSS = 0.005
"""Of nDCG@10, as a share of what serves."""
_FIGURE = "ndcg@10"


@dataclass(frozen=True, slots=True)
class CandidateJudge:
    """Asks the production search the team's questions, of what serves and of a candidate."""

    ledger: Ledger
    objects: Objects
    chroma: Chroma
    encoders: Encoders

    def __call__(self, serving: Generation, candidate: Generation) -> Verdict:
        """Measure both where the candidate's encoder is fast and the one that serves exact.

        Raises :class:`InvalidRequest` where the questions cannot be read, or no answer of them
        is found in the documents.
        """
        if candidate.recipe.precision != "int8" or serving.recipe.precision == "int8":
            return Verdict()
        dataset = team_dataset(self.objects)
        if dataset is None:
            return Verdict(note=f"no {NAME}: the fast encoder was compared by its parity only")
        before, after = self._measured(dataset, serving), self._measured(dataset, candidate)
        both = [name for name in before if name in after]
        if not both:
            raise InvalidRequest(
                f"No question of {NAME} can be asked of both generations.",
                "Check that its documents are there and indexed: rag documents lists them.",
            )
        old = np.array([[before[name]] for name in both])
        new = np.array([[after[name]] for name in both])
        return _verdict(old, new)

    def _measured(self, dataset: Dataset, generation: Generation) -> dict[str, float]:
        """nDCG@10 of each question."""
        stores = (self.ledger, self.objects, self.chroma)
        # Without a reranker, which would make good what an encoder loses.
        search = Search(*stores, self.encoders, generation=generation)
        corpus = live_corpus(self.ledger, self.objects, search, generation)
        asked, _ = prepared(corpus, dataset, Measure())
        return {one.id: ask(search, one, corpus.settings).figures[_FIGURE] for one in asked}


def _verdict(old: Values, new: Values) -> Verdict:
    """Judge the figures of the same questions, each of shape (questions, 1)."""
    (difference,) = mean_estimates(new - old)
    before, after = float(old.mean()), float(new.mean())
    loss = (before - after) / before if before else 0.0
    metrics = {
        "questions": len(old),
        "ndcg@10 of what serves": before,
        "ndcg@10 of the candidate": after,
        "difference, 95 % from": difference.low,
        "difference, 95 % to": difference.high,
    }
    said = (
        f"nDCG@10 on {len(old)} questions of {NAME} {before:.3f} before, {after:.3f} after "
        f"(95 % interval of the difference {difference.low:+.3f} to {difference.high:+.3f})"
    )
    if loss <= ALLOWED_LOSS:
        return Verdict(note=said, metrics=metrics)
    return Verdict(
        refusal=(
            f"The int8 encoder loses {100 * loss:.1f} % of the search's quality, "
            f"{100 * ALLOWED_LOSS:g} % is allowed: {said}."
        ),
        note=said,
        metrics=metrics,
    )
