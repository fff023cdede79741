"""What another collection's run is still working on is not lost."""

from rag_platform.ledger.generations import indexed_collections


def test_a_new_collection_that_waits_for_its_run_is_no_loss_to_the_others(pipeline, put):
    put("a/x.md", "Ducks swim.")
    pipeline()
    put("b/y.md", "Geese fly.")
    pipeline.documents("b")
    assert pipeline.verify(touched="a").problems == []
    (problem,) = pipeline.verify().problems
    assert "has no index of 'b' yet" in problem


def test_a_changed_collection_that_waits_for_its_run_is_no_loss_to_the_others(pipeline, put):
    put("a/x.md", "Ducks swim.")
    put("b/y.md", "Geese fly.")
    pipeline()
    put("b/z.md", "Hens walk.")
    pipeline.documents("b")
    assert pipeline.verify(touched="a").problems == []
    (problem,) = pipeline.verify(touched="b").problems
    assert problem.endswith(
        "work is left: 1 documents to split, 1 documents that readers do not see yet."
    )


def test_vectors_that_are_lost_in_another_collection_are_a_loss(pipeline, put, platform):
    put("a/x.md", "Ducks swim.")
    put("b/y.md", "Geese fly.")
    pipeline()
    generation = pipeline.live()[0]
    with platform.ledger.read() as connection:
        (index,) = indexed_collections(connection, [generation.id], ["b"])
    name = index.chroma_name
    platform.chroma.delete(name, list(platform.chroma.ids(name)))
    (problem,) = pipeline.verify(touched="a").problems
    assert "Chroma has 0 vectors and the ledger wants 1" in problem
