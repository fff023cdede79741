import pwd
from pathlib import Path

import pytest

from rag_platform.errors import SettingsError
from rag_platform.settings import Settings


def load(monkeypatch, **values):
    for name, value in values.items():
        monkeypatch.setenv(f"RAG_{name}", value)
    return Settings.load()


def refused(monkeypatch, **values):
    """The one sentence with which a setting is refused."""
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **values)
    assert "\n" not in str(caught.value)
    str(caught.value).encode()
    return str(caught.value)


def unknown_user():
    users = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("nosuchuser", "nosuchuser2") if name not in users)


@pytest.mark.parametrize("name", ["HOME", "BUCKET"])
@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_place_is_not_the_current_folder(monkeypatch, name, value):
    sentence = refused(monkeypatch, **{name: value})
    assert f"RAG_{name}={value!r} is not valid: it is empty; give a value" in sentence


@pytest.mark.parametrize(
    "url", ["file://b9", "file://host/b9", "file://", "file:", "file:///b?c", "file:///b#c"]
)
@pytest.mark.parametrize("name", ["BUCKET", "OBJECT_STORE"])
def test_a_file_url_that_names_another_folder_than_it_seems_to_is_refused(monkeypatch, name, url):
    assert f"RAG_{name}={url!r} is not valid" in refused(monkeypatch, **{name: url})


def test_a_plain_path_and_a_file_url_name_the_same_bucket(monkeypatch, tmp_path):
    folder = tmp_path / "a?b #c%20ü"
    by_path = load(monkeypatch, BUCKET=str(folder)).bucket_url
    assert by_path == folder.as_uri()
    assert load(monkeypatch, BUCKET=by_path).bucket_url == by_path


def test_an_object_store_without_a_bucket_is_refused(monkeypatch):
    assert "RAG_BUCKET='s3:///x' is not valid" in refused(monkeypatch, BUCKET="s3:///x")


@pytest.mark.parametrize("home", ["b", "b/h", "b/deep/h"])
def test_a_home_that_would_be_read_as_documents_is_refused(monkeypatch, tmp_path, home):
    sentence = refused(monkeypatch, BUCKET=str(tmp_path / "b"), HOME=str(tmp_path / home))
    assert sentence.startswith(f"RAG_HOME ({tmp_path / home}) lies in RAG_BUCKET ({tmp_path}/b)")


def test_a_hidden_home_may_lie_in_the_bucket(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert load(monkeypatch, BUCKET=".").home == tmp_path / ".rag"


def test_an_object_store_that_would_be_read_as_documents_is_refused(monkeypatch, tmp_path):
    sentence = refused(monkeypatch, BUCKET=str(tmp_path), OBJECT_STORE=str(tmp_path / "o"))
    assert sentence.startswith("RAG_OBJECT_STORE")
    assert "different places" in refused(monkeypatch, BUCKET="s3://b", OBJECT_STORE="s3://b/")


@pytest.mark.parametrize("own", ["objects", "mlflow/artifacts"])
def test_a_bucket_in_a_folder_of_the_homes_own_is_refused(monkeypatch, tmp_path, own):
    sentence = refused(monkeypatch, HOME=str(tmp_path), BUCKET=str(tmp_path / own))
    assert "may not lie in a folder that RAG_HOME needs" in sentence


def test_a_bucket_beside_them_is_taken(monkeypatch, tmp_path):
    settings = load(monkeypatch, HOME=str(tmp_path), BUCKET=str(tmp_path / "documents"))
    assert settings.bucket_url == (tmp_path / "documents").as_uri()


@pytest.mark.parametrize("name", ["OLLAMA_URL", "MLFLOW_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://127.0.0.1:x",
        "http://[::1",
        "http://a b:1",
        "http://a..b",
        "http://1.2.3.999",
        "http://h/ ",
        "http://h/?a=b",
        "127.0.0.1:11434",
        "http://",
    ],
)
def test_a_url_that_no_client_could_use_is_refused(monkeypatch, name, url):
    sentence = refused(monkeypatch, **{name: url})
    assert f"RAG_{name}={url!r} is not valid: it should be a URL such as http" in sentence


def test_an_empty_mlflow_url_means_the_own_one(monkeypatch):
    assert load(monkeypatch, MLFLOW_URL="").mlflow_url == "http://127.0.0.1:5000"
    assert "RAG_OLLAMA_URL='' is not valid" in refused(monkeypatch, OLLAMA_URL="")


@pytest.mark.parametrize("name", ["HOST", "CHROMA_HOST"])
@pytest.mark.parametrize("host", ["", " ", "a b", "a/b", "host:80", "1.2.3.999", "fe80::1%eth0"])
def test_what_is_no_host_is_refused(monkeypatch, name, host):
    sentence = refused(monkeypatch, **{name: host})
    assert f"RAG_{name}={host!r} is not valid: it should be a host name" in sentence


@pytest.mark.parametrize("written", ["::1", "[::1]"])
def test_an_ipv6_address_stands_in_brackets_where_a_url_is_made(monkeypatch, written):
    settings = load(monkeypatch, CHROMA_HOST=written, HOST=written)
    assert settings.chroma.url == "http://[::1]:8001"
    assert settings.chat_url == "http://[::1]:8000"
    assert settings.chat_host == "::1"


@pytest.mark.parametrize(
    ("bound", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("192.168.1.5", "http://192.168.1.5:8000"),
    ],
)
def test_a_chat_that_listens_everywhere_is_reached_over_loopback(monkeypatch, bound, url):
    assert load(monkeypatch, HOST=bound).chat_url == url


@pytest.mark.parametrize(
    "name",
    ["OLLAMA_READ_TIMEOUT", "INGESTION_PARSE_TIMEOUT", "INGESTION_SETTLE_SECONDS"],
)
@pytest.mark.parametrize("value", ["inf", "nan", "-inf", "1e300"])
def test_a_time_is_a_number_that_ends(monkeypatch, name, value):
    assert f"RAG_{name}" in refused(monkeypatch, **{name: value})


@pytest.mark.parametrize("name", ["HOME", "BUCKET"])
def test_a_home_of_a_user_who_does_not_exist_is_refused(monkeypatch, name):
    value = f"~{unknown_user()}/x"
    sentence = refused(monkeypatch, **{name: value})
    assert f"RAG_{name}={value!r} is not valid: ~ names no user" in sentence


@pytest.mark.parametrize("name", ["HOME", "BUCKET", "LEDGER_URL", "OLLAMA_MODEL"])
@pytest.mark.parametrize("value", ["/tmp/h\udcff", "/tmp/a\nb", "\x1b[31m"])
def test_what_is_no_line_of_text_is_refused(monkeypatch, name, value):
    sentence = refused(monkeypatch, **{name: value})
    given = "" if name == "LEDGER_URL" else f"={value!r}"  # it may hold a password
    assert f"RAG_{name}{given} is not valid: it has a line break" in sentence


@pytest.mark.parametrize("character", "?#%")
def test_a_home_whose_databases_would_land_elsewhere_is_refused(monkeypatch, tmp_path, character):
    sentence = refused(monkeypatch, HOME=str(tmp_path / f"a{character}b"))
    assert f"its path may not contain {character}, which means something in a URL" in sentence


def test_the_default_home_is_checked_too(monkeypatch, tmp_path):
    (tmp_path / "a?b").mkdir()
    monkeypatch.chdir(tmp_path / "a?b")
    assert "RAG_HOME='.rag' is not valid: its path may not contain ?" in refused(monkeypatch)


def test_a_current_folder_that_is_gone_gives_one_sentence(monkeypatch, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert "it cannot be looked up (No such file or directory)" in refused(monkeypatch)


def test_a_file_must_settle_while_it_is_watched(monkeypatch):
    sentence = refused(monkeypatch, INGESTION_SETTLE_SECONDS="5", INGESTION_WATCH_SECONDS="5")
    assert sentence == (
        "RAG_INGESTION_SETTLE_SECONDS (5) must be less than RAG_INGESTION_WATCH_SECONDS (5)."
        " Correct the variable and start again."
    )
    assert "RAG_INGESTION_WATCH_SECONDS='0.9'" in refused(
        monkeypatch, INGESTION_WATCH_SECONDS="0.9"
    )


def test_paths_hold_in_every_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    settings = load(
        monkeypatch,
        LEDGER_URL="sqlite:///l.db",
        HOME="h",
        EMBEDDING_MODEL="model",
        RERANKER="./model",
    )
    monkeypatch.chdir("/")
    assert settings.environment() == {
        "RAG_EMBEDDING_MODEL": str(tmp_path / "model"),
        "RAG_RERANKER": str(tmp_path / "model"),
        "RAG_HOME": str(tmp_path / "h"),
        "RAG_BUCKET": (tmp_path / "bucket").as_uri(),
        "RAG_LEDGER_URL": f"sqlite:///{tmp_path}/l.db",
        "RAG_OBJECT_STORE": (tmp_path / "h" / "objects").as_uri(),
    }


@pytest.mark.parametrize("name", ["org/model", "all-MiniLM-L6-v2", ""])
def test_a_model_that_is_no_folder_is_a_name_of_the_hub(monkeypatch, name):
    assert load(monkeypatch, EMBEDDING_MODEL=name).embedding.model == name


def test_a_reranker_needs_time(monkeypatch):
    assert load(monkeypatch).reranking.reranker == ""
    assert "RAG_RERANKER_MS='0'" in refused(monkeypatch, RERANKER_MS="0")


def test_settings_given_to_a_child_mean_the_same_there(monkeypatch, tmp_path):
    first = load(monkeypatch, HOME=str(tmp_path / "h"), BUCKET=str(tmp_path / "a b"))
    second = load(
        monkeypatch, **{k.removeprefix("RAG_"): v for k, v in first.environment().items()}
    )
    assert second.environment() == first.environment()
    assert second.home == Path(first.home)


def test_an_overlap_of_more_than_half_a_passage_is_refused(monkeypatch):
    sentence = refused(monkeypatch, CHUNKING_MAX_TOKENS="100", CHUNKING_OVERLAP_TOKENS="51")
    assert sentence.startswith(
        "RAG_CHUNKING_OVERLAP_TOKENS (51) may be at most half of RAG_CHUNKING_MAX_TOKENS (100)."
    )


@pytest.mark.parametrize("value", ["7", "many", "-1", ""])
def test_a_passage_of_hardly_any_tokens_is_refused(monkeypatch, value):
    sentence = refused(monkeypatch, CHUNKING_MAX_TOKENS=value)
    assert f"RAG_CHUNKING_MAX_TOKENS={value!r} is not valid" in sentence


def test_a_ledger_in_the_bucket_is_refused(monkeypatch, tmp_path):
    sentence = refused(
        monkeypatch, BUCKET=str(tmp_path), LEDGER_URL=f"sqlite:///{tmp_path / 'ledger.db'}"
    )
    assert "lies in RAG_BUCKET" in sentence


def test_a_bucket_in_the_object_store_is_refused(monkeypatch, tmp_path):
    sentence = refused(monkeypatch, BUCKET=str(tmp_path / "text"), OBJECT_STORE=str(tmp_path))
    assert "lies in RAG_OBJECT_STORE" in sentence


def test_an_ollama_model_without_a_name_is_refused(monkeypatch):
    assert "RAG_OLLAMA_MODEL" in refused(monkeypatch, OLLAMA_MODEL="")


@pytest.mark.parametrize("url", ["zzz", "mysql://anna:s3cret@host/database", "postgresql.example"])
def test_a_database_that_cannot_be_used_is_refused_without_its_password(monkeypatch, url):
    sentence = refused(monkeypatch, LEDGER_URL=url)
    assert "RAG_LEDGER_URL is not valid: give sqlite:///" in sentence
    assert "s3cret" not in sentence


@pytest.mark.parametrize("name", ["BUCKET", "OBJECT_STORE"])
def test_a_place_of_an_unknown_kind_is_refused(monkeypatch, name):
    assert "it has no known scheme" in refused(monkeypatch, **{name: "ftp://x/y"})
