"""MLflow: the registry of model versions. The only importer of mlflow, and only when it must.

Importing mlflow takes seconds and 170 MB, so questions that its HTTP interface answers are asked
there, and the package is loaded to upload and download files.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from rag_platform.errors import ModelUnavailable, TrackingUnavailable

CHAMPION = "champion"
"""The alias of the version that serves; repaired from the ledger, which decides."""

EXPERIMENT = "rag-platform"

_LONGEST_PARAMETER = 6000


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """A version of a model in the registry."""

    name: str
    version: str
    run_id: str
    tags: dict[str, str]


class Tracking:
    """An MLflow server. Raises :class:`TrackingUnavailable` where it does not answer."""

    def __init__(self, url: str, *, timeout: float) -> None:
        self.url = url
        self._timeout = timeout

    def version(self, name: str, version: str) -> "RegisteredVersion | None":
        """A registered model version with its tags, or None."""
        try:
            response = httpx.get(
                f"{self.url}/api/2.0/mlflow/model-versions/get",
                params={"name": name, "version": version},
                timeout=self._timeout,
            )
        except httpx.HTTPError as error:
            raise self._unavailable() from error
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        if response.is_error:
            raise self._unavailable(f"it answers with an error ({response.status_code})")
        found = response.json()["model_version"]
        tags = {tag["key"]: tag["value"] for tag in found.get("tags", [])}
        return RegisteredVersion(found["name"], found["version"], found["run_id"], tags)

    def register(
        self,
        name: str,
        folder: Path,
        *,
        run_name: str,
        parameters: dict[str, Any],
        metrics: dict[str, float],
        tags: dict[str, str],
    ) -> str:
        """Upload a model's folder as a run's artifacts and register it; returns the new version."""
        with self._client() as client:
            from mlflow.exceptions import MlflowException

            try:
                client.create_registered_model(name)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            experiment = client.get_experiment_by_name(EXPERIMENT)
            experiment_id = (
                experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT)
            )
            run = client.create_run(experiment_id, run_name=run_name, tags=tags)
            run_id = run.info.run_id
            for key, value in parameters.items():
                client.log_param(run_id, key, value)
            for key, value in metrics.items():
                client.log_metric(run_id, key, value)
            client.log_artifacts(run_id, str(folder), "model")
            version = client.create_model_version(
                name, f"{run.info.artifact_uri}/model", run_id, tags=tags
            ).version
            client.set_terminated(run_id)
            return str(version)

    def record(
        self, run_name: str, *, parameters: dict[str, str], metrics: dict[str, float]
    ) -> None:
        """Write a finished run without files to the platform's experiment."""
        now = int(1000 * time.time())
        found = self._call("GET", "experiments/get-by-name", {"experiment_name": EXPERIMENT})
        if found is None:
            found = {"experiment": self._call("POST", "experiments/create", {"name": EXPERIMENT})}
        run = self._call(
            "POST",
            "runs/create",
            {
                "experiment_id": found["experiment"]["experiment_id"],
                "run_name": run_name,
                "start_time": now,
            },
        )
        run_id = run["run"]["info"]["run_id"]
        self._call(
            "POST",
            "runs/log-batch",
            {
                "run_id": run_id,
                "params": [
                    {"key": key, "value": value[:_LONGEST_PARAMETER]}
                    for key, value in parameters.items()
                ],
                "metrics": [
                    {"key": key, "value": value, "timestamp": now, "step": 0}
                    for key, value in metrics.items()
                ],
            },
        )
        self._call("POST", "runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": now})

    def _call(self, method: str, path: str, values: dict[str, Any]) -> Any:
        """Call MLflow's HTTP interface; None where it knows no such thing."""
        sent: dict[str, Any] = {"params": values} if method == "GET" else {"json": values}
        try:
            response = httpx.request(
                method, f"{self.url}/api/2.0/mlflow/{path}", timeout=self._timeout, **sent
            )
            if response.status_code == HTTPStatus.NOT_FOUND:
                if response.json().get("error_code") == "RESOURCE_DOES_NOT_EXIST":
                    return None
            elif response.is_success:
                return response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise self._unavailable() from error
        raise self._unavailable(f"it answers with an error ({response.status_code})")

    def point_champion(self, name: str, version: str) -> None:
        """Let the alias ``champion`` name this version."""
        try:
            httpx.post(
                f"{self.url}/api/2.0/mlflow/registered-models/alias",
                json={"name": name, "alias": CHAMPION, "version": version},
                timeout=self._timeout,
            ).raise_for_status()
        except httpx.HTTPError as error:
            raise self._unavailable() from error

    def download(self, name: str, version: str, folder: Path) -> None:
        """Fetch a version's files to ``folder``, which appears whole or not at all."""
        if self.version(name, version) is None:
            raise ModelUnavailable(
                f"MLflow at {self.url} has no version {version} of the model {name}.",
                "Restore MLflow's data, or delete RAG_HOME to start anew.",
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=folder.parent, prefix=".download-") as temporary,
            self._client() as client,
        ):
            uri = client.get_model_version_download_uri(name, version)
            import mlflow.artifacts

            fetched = mlflow.artifacts.download_artifacts(  # pyright: ignore[reportUnknownMemberType]
                artifact_uri=uri, dst_path=temporary, tracking_uri=self.url
            )
            if folder.exists():
                shutil.rmtree(folder)
            Path(fetched).rename(folder)

    @contextmanager
    def _client(self) -> Generator[Any]:
        # Read by the package at every request; its own defaults wait for minutes.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(int(self._timeout)))
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        os.environ.setdefault("DO_NOT_TRACK", "true")
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        try:
            yield MlflowClient(self.url, self.url)
        except MlflowException as error:
            raise self._unavailable(str(error).splitlines()[0]) from error

    def _unavailable(self, detail: str = "") -> TrackingUnavailable:
        because = f": {detail}" if detail else ""
        return TrackingUnavailable(
            f"MLflow at {self.url} does not answer{because}.", "Is it running? rag status tells."
        )
