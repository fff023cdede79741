"""From a dropped file to a cited, rated answer, on the running stack."""

import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
from docx import Document

from benchmarks.stack import Stack, wait_until
from rag_platform import EXAMPLE_QUESTION

RUNS = """
query ($partition: String!) {
  runsOrError(
    filter: {pipelineName: "ingest", tags: [{key: "dagster/partition", value: $partition}]}
  ) {
    ... on Runs { results { runId status } }
  }
}
"""
ASSETS = """
{
  assetNodes(
    group: {
      groupName: "ingestion"
      repositoryName: "__repository__"
      repositoryLocationName: "rag_platform"
    }
  ) {
    assetKey { path } groupName isPartitioned
    assetMaterializations(limit: 1) { partition metadataEntries { label } }
    assetChecksOrError {
      ... on AssetChecks { checks { name executionForLatestMaterialization { status } } }
    }
  }
}
"""
SENSOR = """
{
  sensorOrError(
    sensorSelector: {
      repositoryName: "__repository__"
      repositoryLocationName: "rag_platform"
      sensorName: "bucket_changed"
    }
  ) {
    ... on Sensor { name sensorState { status } }
  }
}
"""


def cited(answer: dict) -> set[str]:
    return {citation["document"]["key"] for citation in answer["citations"]}


def test_the_samples_are_indexed_after_the_first_start_and_answer_the_suggested_question(
    stack: Stack,
) -> None:
    for sample in sorted((Path("examples") / "documents").rglob("*")):
        if sample.is_file():
            stack.wait_for(sample.relative_to("examples/documents").as_posix(), "indexed")
    answer = stack.ask(EXAMPLE_QUESTION)
    assert answer["status"] == "complete"
    assert answer["citations"]
    assert EXAMPLE_QUESTION in stack.log.read_text()
    assert stack.url in stack.log.read_text()


def test_a_dropped_file_is_cited_then_its_new_text_then_nothing(stack: Stack) -> None:
    key = "handbook/parking.md"
    stack.drop(key, "# Parking\n\nThe garage has 41 parking places for visitors.\n")
    listed = stack.wait_for(key, "indexed")
    assert listed["title"] == "Parking"
    assert listed["chunks"] == 1

    answer = stack.ask("How many parking places for visitors does the garage have?", "handbook")
    assert answer["status"] == "complete"
    assert "41 parking places" in answer["answer"]
    citation = next(c for c in answer["citations"] if c["document"]["key"] == key)
    content = stack.http.get(f"/v1/collections/handbook/documents/{key}/content").json()
    passage = content["text"][citation["start"] : citation["end"]]
    assert " ".join(citation["quote"].split()) in " ".join(passage.split())

    stack.drop(key, "# Parking\n\nThe garage has 57 parking places for visitors.\n")
    wait_until(
        lambda: "57 parking places" in stack.ask("How many parking places for visitors?")["answer"],
        60,
        "the new text answers",
    )
    answer = stack.ask("How many parking places for visitors does the garage have?")
    assert "41" not in answer["answer"]

    (stack.bucket / key).unlink()
    wait_until(
        lambda: key not in cited(stack.ask("How many parking places for visitors?")),
        60,
        "the deleted file is not cited",
    )
    assert stack.document(key) is None


def test_a_rating_is_in_the_ledger_once_and_the_newest_wins(stack: Stack) -> None:
    answer = stack.ask("How do I add a document?")
    where = f"/v1/answers/{answer['answer_id']}/rating"
    for rating in ("up", "up", "down"):
        said = stack.http.post(where, json={"rating": rating}, headers={"X-Rater": "ada"})
        assert said.status_code == httpx.codes.OK
    with closing(sqlite3.connect(stack.home / "ledger.db")) as ledger:
        rows = ledger.execute(
            "SELECT rater, rating FROM ratings WHERE answer_id = ?", [answer["answer_id"]]
        ).fetchall()
    assert rows == [("ada", "down")]
    lineage = stack.http.get(f"/v1/answers/{answer['answer_id']}").json()
    assert lineage["ratings"][0]["rating"] == "down"


def test_unreadable_files_are_quarantined_with_a_reason_and_stop_nobody(stack: Stack) -> None:
    stack.drop("mixed/empty.txt", "")
    stack.drop("mixed/picture.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 100)
    stack.drop("mixed/broken.pdf", b"%PDF-1.7\nnothing of a PDF follows")
    stack.drop("mixed/good.txt", "The password of the coffee machine is mocha.")
    stack.wait_for("mixed/good.txt", "indexed")
    for name in ("empty.txt", "picture.png", "broken.pdf"):
        listed = stack.wait_for(f"mixed/{name}", "quarantined")
        assert listed["reason"].endswith(".")
        assert "Error" not in listed["reason"]
    shown = stack.rag("documents", "--collection", "mixed")
    assert shown.returncode == 0
    assert "The file is empty." in shown.stdout


def test_a_word_file_keeps_its_author_and_a_renamed_file_is_found_under_its_new_name(
    stack: Stack, tmp_path: Path
) -> None:
    document = Document()
    document.core_properties.author = "Grace Hopper"
    document.core_properties.title = "Compilers"
    document.add_heading("Compilers", 1)
    document.add_paragraph("The first compiler was called A-0 and ran on the UNIVAC.")
    document.save(str(tmp_path / "compilers.docx"))
    stack.drop("history/compilers.docx", (tmp_path / "compilers.docx").read_bytes())
    listed = stack.wait_for("history/compilers.docx", "indexed")
    assert (listed["title"], listed["author"]) == ("Compilers", "Grace Hopper")

    (stack.bucket / "history/compilers.docx").rename(stack.bucket / "history/first.docx")
    stack.wait_for("history/first.docx", "indexed")
    answer = stack.ask("What was the first compiler called?", "history")
    assert cited(answer) == {"history/first.docx"}


def test_an_upload_is_listed_at_once_then_indexed_and_a_delete_stops_it_from_being_cited(
    stack: Stack,
) -> None:
    sent = stack.http.post(
        "/v1/collections/handbook/documents",
        files={"file": ("lift.md", b"# Lift\n\nThe lift is serviced by Schindler on Tuesdays.\n")},
    )
    assert sent.status_code == httpx.codes.ACCEPTED
    assert stack.document("handbook/lift.md") is not None
    stack.wait_for("handbook/lift.md", "indexed")
    assert "handbook/lift.md" in cited(stack.ask("Who services the lift?"))
    gone = stack.http.delete("/v1/collections/handbook/documents/handbook/lift.md")
    assert gone.status_code == httpx.codes.NO_CONTENT
    assert "handbook/lift.md" not in cited(stack.ask("Who services the lift?"))
    assert not (stack.bucket / "handbook/lift.md").exists()


def test_a_question_that_no_document_answers_is_abstained_from(stack: Stack) -> None:
    answer = stack.ask("Which enzyme unwinds the double helix during replication?")
    assert answer["status"] == "abstained"
    assert answer["citations"] == []


def test_what_is_no_http_gets_a_problem_document_too(stack: Stack) -> None:
    address = httpx.URL(stack.url)
    with socket.create_connection((address.host, address.port), timeout=10) as connection:
        connection.sendall(b"no HTTP\r\n\r\n")
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer


def test_dagster_shows_the_four_assets_their_metadata_and_a_green_check(stack: Stack) -> None:
    stack.wait_for("handbook/adding-documents.md", "indexed")

    def finished() -> bool:
        runs = stack.graphql(RUNS, partition="handbook")["runsOrError"]["results"]
        return bool(runs) and runs[0]["status"] == "SUCCESS"

    wait_until(finished, 60, "the handbook's last run succeeded")
    nodes = {n["assetKey"]["path"][0]: n for n in stack.graphql(ASSETS)["assetNodes"]}
    assert set(nodes) == {"documents", "chunks", "embeddings", "search_index"}
    for node in nodes.values():
        assert node["isPartitioned"]
        labels = {m["label"] for m in node["assetMaterializations"][0]["metadataEntries"]}
        assert "seconds" in labels

    def is_green() -> bool:
        nodes = stack.graphql(ASSETS)["assetNodes"]
        checks = [check for node in nodes for check in node["assetChecksOrError"]["checks"]]
        (check,) = [check for check in checks if check["name"] == "index_matches_bucket"]
        return (check["executionForLatestMaterialization"] or {}).get("status") == "SUCCEEDED"

    wait_until(is_green, 60, "the check of the last materialization is green")
    sensor = stack.graphql(SENSOR)["sensorOrError"]
    assert sensor["sensorState"]["status"] == "RUNNING"


def test_the_base_model_is_version_1_in_mlflow_with_onnx_safetensors_and_checksums(
    stack: Stack,
) -> None:
    mlflow = stack.state().children["mlflow"].address
    version = httpx.get(
        f"{mlflow}/api/2.0/mlflow/registered-models/alias",
        params={"name": "embedder", "alias": "champion"},
    ).json()["model_version"]
    assert version["version"] == "1"
    listed = httpx.get(
        f"{mlflow}/api/2.0/mlflow/artifacts/list",
        params={"run_id": version["run_id"], "path": "model"},
    ).json()["files"]
    names = {Path(item["path"]).name for item in listed}
    assert {"model.safetensors", "onnx", "checksums.json"} <= names


def test_the_command_line_shows_health_answers_and_passages(stack: Stack) -> None:
    stack.wait_for("handbook/adding-documents.md", "indexed")
    status = stack.rag("status")
    assert status.returncode == 0, status.stdout + status.stderr
    for part in ("ledger", "chroma", "mlflow", "dagster", "chat", "generation", "version 1"):
        assert part in status.stdout
    asked = stack.rag("ask", "How do I add a document?")
    assert asked.returncode == 0
    assert "handbook/" in asked.stdout
    found = stack.rag("search", "add a document", "--top-k", "2")
    assert found.returncode == 0
    assert "score" in found.stdout
    unknown = stack.rag("search", "anything", "--collection", "nowhere")
    assert unknown.returncode == 1
    assert "There is no collection 'nowhere'" in unknown.stderr
    assert "Traceback" not in unknown.stderr
