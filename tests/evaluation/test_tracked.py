"""What MLflow is told of an evaluation, by a server that speaks as much of it as is needed."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rag_platform.errors import TrackingUnavailable
from rag_platform.evaluation.tracked import metric_name
from rag_platform.tracking import Tracking


class _Mlflow(BaseHTTPRequestHandler):
    def _answer(self, status: int, body: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def do_GET(self) -> None:
        self._answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = self.path.removeprefix("/api/2.0/mlflow/")
        self.server.asked.append((name, body))
        answers = {
            "experiments/create": {"experiment_id": "7"},
            "runs/create": {"run": {"info": {"run_id": "r"}}},
        }
        self._answer(self.server.status, answers.get(name, {}))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mlflow():
    """A server that knows no experiment yet."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Mlflow)
    server.asked, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _record(server) -> None:
    Tracking(f"http://127.0.0.1:{server.server_port}", timeout=5).record(
        "an evaluation", parameters={"long": "x" * 10_000}, metrics={"platform/mrr": 0.5}
    )


def test_an_evaluation_is_a_finished_run_of_the_platforms_experiment(mlflow):
    _record(mlflow)
    asked = dict(mlflow.asked)
    assert asked["experiments/create"] == {"name": "rag-platform"}
    assert asked["runs/create"]["experiment_id"] == "7"
    (metric,) = asked["runs/log-batch"]["metrics"]
    assert (metric["key"], metric["value"]) == ("platform/mrr", 0.5)
    assert len(asked["runs/log-batch"]["params"][0]["value"]) == 6000
    assert asked["runs/update"]["status"] == "FINISHED"


def test_an_error_of_mlflow_is_one_sentence(mlflow):
    mlflow.status = 500
    with pytest.raises(TrackingUnavailable, match=r"it answers with an error \(500\)"):
        _record(mlflow)


def test_names_of_metrics_hold_what_mlflow_takes_only():
    assert metric_name("text-recall@4000chars") == "text-recall_at_4000chars"
