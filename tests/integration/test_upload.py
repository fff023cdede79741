"""An upload through the API on the running stack: answerable at once, and Dagster knows of it."""

import time

from benchmarks.stack import Stack, wait_until

ASSETS = ("documents", "chunks", "embeddings", "search_index")

EVENTS = """
query ($assets: [AssetKeyInput!]!, $partition: String!) {
  assetNodes(assetKeys: $assets) {
    assetKey { path }
    assetMaterializations(partitions: [$partition]) {
      runId
      partition
      description
      metadataEntries { label ... on IntMetadataEntry { intValue } }
    }
  }
}
"""
CHECK = """
query ($assets: [AssetKeyInput!]!) {
  assetNodes(assetKeys: $assets) { assetChecksOrError { ... on AssetChecks { checks {
    executionForLatestMaterialization { status }
  } } } }
}
"""


def test_an_upload_is_answerable_without_a_run_and_dagster_shows_what_was_made(
    stack: Stack,
) -> None:
    stack.wait_for("handbook/adding-documents.md", "indexed")
    warm = {"file": ("warm.md", b"# Warm\n\nThe towels are warm.")}
    stack.http.post("/v1/collections/club/documents", files=warm).raise_for_status()
    stack.wait_for("club/warm.md", "indexed")
    file = {"file": ("sauna.md", b"# Sauna\n\nThe sauna is heated on Thursdays from five.")}
    started = time.monotonic()
    stack.http.post("/v1/collections/club/documents", files=file).raise_for_status()
    answer = wait_until(lambda: _cited(stack, "club/sauna.md"), 20, "the sauna is cited")
    elapsed = time.monotonic() - started
    assert "Thursdays" in answer["answer"]
    assert elapsed < 5  # about 0.3 s where nothing else runs

    def events() -> dict[str, dict] | None:
        nodes = stack.graphql(
            EVENTS, assets=[{"path": [asset]} for asset in ASSETS], partition="club"
        )["assetNodes"]
        found = {
            node["assetKey"]["path"][0]: event
            for node in nodes
            for event in node["assetMaterializations"]
            if event["description"] == "Uploaded: club/sauna.md"
        }
        return found if len(found) == len(ASSETS) else None

    reported = wait_until(events, 30, "Dagster shows the four materialisations")
    # A sensor that looked in between may have asked for a run; that is not what these came from.
    assert {event["runId"] for event in reported.values()} == {""}
    (read,) = [e for e in reported["documents"]["metadataEntries"] if e["label"] == "read"]
    assert read["intValue"] == 1

    def is_green() -> bool:
        (node,) = stack.graphql(CHECK, assets=[{"path": ["search_index"]}])["assetNodes"]
        (check,) = node["assetChecksOrError"]["checks"]
        return check["executionForLatestMaterialization"] == {"status": "SUCCEEDED"}

    wait_until(is_green, 30, "the check is green again")


def _cited(stack: Stack, key: str) -> dict | None:
    answer = stack.ask("When is the sauna heated?", "club")
    cited = any(item["document"]["key"] == key for item in answer["citations"])
    return answer if cited else None
