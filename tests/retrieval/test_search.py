"""The search over a real ledger, Chroma and model."""

import pytest

from rag_platform.errors import IndexUnavailable, NotFound, Unavailable
from rag_platform.index.chroma import Chroma
from rag_platform.retrieval.search import Search
from rag_platform.retrieval.settings import RetrievalSettings

# What concerns the model or Chroma alone is tried over one database.
on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)

LEAVE = "# Leave\n\nParental leave lasts 26 weeks and is paid in full."
TRAVEL = "# Travel\n\nTrains are booked in second class through the travel office."
SECRET = "# Salaries\n\nParental leave of managers lasts 52 weeks."


@pytest.fixture
def filled(pipeline, put):
    put("handbook/leave.md", LEAVE)
    put("handbook/travel.md", TRAVEL)
    put("board/salaries.md", SECRET)
    pipeline()
    return pipeline


def _keys(result) -> list[str]:
    return [passage.chunk.key for passage in result.passages]


def test_both_halves_find_a_passage_and_say_so(filled, platform):
    result = platform.search("How long is parental leave?", ["handbook"])
    best = result.passages[0]
    assert best.chunk.key == "handbook/leave.md"
    assert (best.dense_rank, best.keyword_rank) == (1, 1)
    assert best.chunk.text == LEAVE[best.chunk.start : best.chunk.end]
    assert best.similarity > 0.5
    assert result.relevance > 0.7
    assert result.is_relevant
    assert {"ledger", "encode", "dense", "keyword", "fusion", "total"} <= result.timings_ms.keys()


@on_sqlite
def test_meaning_is_found_where_no_word_is_shared(filled, platform):
    result = platform.search("railway tickets", ["handbook"])
    assert _keys(result)[0] == "handbook/travel.md"
    assert result.passages[0].keyword_rank is None


def test_a_collection_that_was_not_asked_is_never_found(filled, platform):
    for question in ("parental leave of managers lasts 52 weeks", "salaries", "leave"):
        for top_k in (1, 5, 50):
            keys = _keys(platform.search(question, ["handbook"], top_k))
            assert not [key for key in keys if key.startswith("board/")]
    assert _keys(platform.search("salaries", ["board"])) == ["board/salaries.md"]


def test_the_same_bytes_in_two_collections_are_cited_from_the_one_that_was_asked(
    filled, platform, put, pipeline
):
    put("people/copy.md", LEAVE)
    pipeline()
    assert _keys(platform.search("parental leave", ["people"])) == ["people/copy.md"]
    assert _keys(platform.search("parental leave", ["handbook"]))[0] == "handbook/leave.md"


def test_all_collections_are_searched_where_none_is_named(filled, platform):
    result = platform.search("parental leave")
    assert result.collections == ("board", "handbook")
    assert {"board/salaries.md", "handbook/leave.md"} <= set(_keys(result))


@on_sqlite
def test_settings_that_are_given_count_instead_of_those_that_serve(filled, platform):
    question = "railway tickets for parental leave"  # words of one, meaning of the other
    for weight in (0.0, 1.0):
        settings = RetrievalSettings(dense_weight=weight, top_k=1)
        result = platform.search(question, ["handbook"], settings=settings)
        assert result.settings == settings
        (best,) = result.passages
        assert (best.keyword_rank if weight == 0 else best.dense_rank) == 1
    assert platform.search(question).settings == RetrievalSettings()


@on_sqlite
def test_no_collection_at_all_finds_nothing(filled, platform):
    result = platform.search("parental leave", [])
    assert (result.passages, result.is_relevant) == ((), False)


@on_sqlite
def test_an_unknown_collection_is_named_with_the_known_ones(filled, platform):
    with pytest.raises(NotFound, match=r"'Räte'.*board, handbook"):
        platform.search("leave", ["handbook", "Räte"])


def test_an_empty_platform_finds_nothing(platform):
    result = platform.search("anything")
    assert (result.passages, result.is_relevant, result.collections) == ((), False, ())


@on_sqlite
def test_an_empty_collection_finds_nothing(pipeline, platform):
    pipeline("empty")
    assert platform.search("anything", ["empty"]).passages == ()


@on_sqlite
def test_equal_texts_are_shown_once(filled, platform, put, pipeline):
    for number in range(6):
        put(
            f"handbook/copy {number}.txt",
            f"{'Remote work is allowed on three days.'}\n{' ' * number}",
        )
    pipeline()
    texts = [p.chunk.text for p in platform.search("remote work days", ["handbook"]).passages]
    assert len(texts) == len(set(texts))
    assert texts[0] == "Remote work is allowed on three days."


@on_sqlite
def test_any_question_is_searched(filled, platform):
    for question in (
        "leave " * 10_000,
        "leave",
        "?",
        "🙂",
        "休暇",
        "a\x00b",
        "\ud800 leave",
        "  leave\n\n",
        '"; DROP',
    ):
        assert platform.search(question).passages, question[:20]


@on_sqlite
def test_what_is_relevant_is_told_from_what_is_not(filled, platform):
    for question in ("How long is parental leave?", "second class trains"):
        assert platform.search(question).is_relevant, question
    for question in ("What is the boiling point of tungsten?", "Who won the football cup?"):
        assert not platform.search(question).is_relevant, question


def test_a_deleted_document_is_not_found_though_chroma_still_has_it(
    filled, platform, bucket_folder
):
    (bucket_folder / "handbook" / "leave.md").unlink()
    filled.documents("handbook")
    name = f"generation-1-collection-{filled.id_of('handbook')}-1"
    assert platform.chroma.count(name) == 2
    assert "handbook/leave.md" not in _keys(platform.search("parental leave weeks", top_k=50))


def test_deleted_passages_do_not_hide_the_others(filled, platform, put, pipeline, bucket_folder):
    for number in range(60):
        put(f"handbook/{number}.md", f"Railway tickets for trip number {number} are reserved.")
    pipeline()
    for number in range(60):
        (bucket_folder / "handbook" / f"{number}.md").unlink()
    pipeline.documents("handbook")  # Chroma still has them all
    result = platform.search("railway tickets", ["handbook"])
    assert _keys(result)[0] == "handbook/travel.md"
    assert result.passages[0].dense_rank is not None


@on_sqlite
def test_chroma_that_is_away_is_an_error_and_never_half_a_search(filled, platform, free_port):
    chroma = Chroma("127.0.0.1", free_port(), timeout=2)
    search = Search(platform.ledger, platform.objects, chroma, platform.encoders)
    with pytest.raises(IndexUnavailable):
        search("parental leave")
    chroma.close()


@on_sqlite
def test_nothing_is_searched_before_anything_serves(ledger, free_port):
    chroma = Chroma("127.0.0.1", free_port(), timeout=2)
    with pytest.raises(Unavailable, match="Nothing serves yet"):
        Search(ledger, None, chroma, None)("leave")
    chroma.close()


@on_sqlite
def test_all_stored_strings_fit_the_model_and_headers_give_way(put, platform, stages, pipeline):
    title = "Regulations of the Committee on Very Long Titles " * 30
    paragraphs = "\n\n".join(f"Paragraph {n} says this. " * 60 for n in range(4))
    put("handbook/long.md", f"# {title}\n\n## {title} again\n\n{paragraphs}")
    put("handbook/cjk.md", f"# {'規則' * 200}\n\n{'休暇は三十日です。' * 200}")
    put("handbook/emoji.md", f"# {'🙂' * 300}\n\n{'👶🏽' * 900}")
    assert pipeline("handbook")["handbook"].current
    (generation,) = pipeline.live()
    encoder = platform.encoders(generation)
    counts = [encoder.count_tokens(text) for text in pipeline.encoders.encoded]
    assert len(counts) > 10
    assert max(counts) <= encoder.max_tokens == 256
    assert any(text.startswith("Regulations") for text in pipeline.encoders.encoded)


@on_sqlite
def test_a_small_collection_is_heard_beside_a_large_one(platform, put, pipeline):
    animals = ("heron", "eel", "bee", "mole", "lynx", "crow", "toad", "newt", "hare", "wren") * 6
    for number, animal in enumerate(animals):
        put(f"prices/{number}.md", f"# {animal} {number}\n\nThe {animal} costs {number} coins.")
    put("quick/two.md", "# Late\n\nThe late fly costs 5 coins.")
    pipeline()
    result = platform.search("What does the late fly cost?")
    assert _keys(result)[0] == "quick/two.md"
    assert result.passages[0].keyword_rank == 1


@on_sqlite
def test_what_is_asked_again_is_not_searched_again_until_something_changes(
    filled, platform, put, pipeline, chroma_server, bucket_folder
):
    first = platform.search("parental leave", ["handbook"])
    chroma_server.kill()
    assert platform.search("parental leave", ["handbook"]).passages == first.passages
    with pytest.raises(IndexUnavailable):
        platform.search("parental leave", ["handbook"], 4)
    chroma_server.start()
    put("handbook/more.md", "# More\n\nParental leave can be taken in parts.")
    pipeline()
    assert "handbook/more.md" in _keys(platform.search("parental leave", ["handbook"]))
    (bucket_folder / "handbook" / "more.md").unlink()
    pipeline.documents("handbook")
    assert platform.search("parental leave", ["handbook"]).passages == first.passages


@on_sqlite
def test_a_chunk_between_two_good_ones_is_found_with_them(put, pipeline, platform):
    sentence = "The old mill by the river grinds wheat for the village. "
    between = "Nothing of the kind is said in this part, which is about taxes and roads. "
    put("books/mill.txt", sentence * 14 + between * 12 + sentence * 14)
    for number in range(30):
        put(f"books/{number}.txt", f"The wheat of field {number} is sold. " * 5)
    pipeline()
    passages = platform.search("Where is wheat ground by the river?", ["books"], 5).passages
    assert any("about taxes" in p.chunk.text for p in passages[:3])


@on_sqlite
def test_near_duplicates_are_shown_once_unless_a_number_or_the_title_differs(
    put, pipeline, platform
):
    text = (
        "The festival is held in the old harbour when the boats come home at night. "
        "Everybody brings soup, bread and songs, and stays until the last light has gone out. "
    )
    put("town/one.md", f"# Lantern festival\n\n{text}Bring a lamp.")
    put("town/two.md", f"# Lantern festival\n\n{text}Bring a lantern.")
    put("town/2024.md", f"# Lantern festival\n\n{text}It was on the 3rd.")
    put("town/2025.md", f"# Lantern festival\n\n{text}It was on the 5th.")
    put("town/fire.md", f"# Fire festival\n\n{text}Bring a torch.")
    pipeline()
    keys = _keys(platform.search("lantern festival", ["town"], 10))
    assert len({"town/one.md", "town/two.md"} & set(keys)) == 1
    assert {"town/2024.md", "town/2025.md", "town/fire.md"} <= set(keys)
