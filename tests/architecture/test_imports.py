"""The arrows between the packages are executable: a planted violation breaks a contract."""

import importlib
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("rag_platform", "assets", "resources", "sensors")


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _copy(folder: Path) -> Path:
    """The packages and their contracts, to plant something in."""
    for package in PACKAGES:
        ignore = shutil.ignore_patterns("__pycache__", "static", "templates")
        shutil.copytree(ROOT / package, folder / package, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


VIOLATIONS = [
    ("rag_platform.ledger.digests", "dagster", "Dagster stays outside"),
    ("rag_platform.index.stage", "rag_platform.service.app", "imports point down"),
    ("rag_platform.ledger.answers", "rag_platform.retrieval.search", "imports point down"),
    ("rag_platform.retrieval.fusion", "rag_platform.evaluation.metrics", "imports point down"),
    ("rag_platform.documents.parsed", "rag_platform.index.chroma", "imports point down"),
    ("assets.partitions", "sensors.jobs", "imports point to it"),
    ("assets.partitions", "resources.ledger", "what is around it"),
    ("resources.ledger", "assets.ingestion", "what is around it"),
    ("rag_platform.chat.prompt", "assets.ingestion", "what is around it"),
    ("rag_platform.wiring", "rag_platform.definitions", "composition root"),
    ("rag_platform.index.chroma", "chromadb", "Chroma"),
    ("rag_platform.embedding.models", "mlflow", "MLflow"),
    ("rag_platform.embedding.encoder", "torch", "training framework"),
    ("rag_platform.retrieval.search", "fastapi", "web framework"),
]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says of a copy with every violation in it; one run takes seconds."""
    folder = _copy(tmp_path_factory.mktemp("planted"))
    for module, imported, _ in VIOLATIONS:
        with (folder / f"{module.replace('.', '/')}.py").open("a") as file:
            file.write(f"\nimport {imported}\n")
    result = _lint(folder)
    assert result.returncode == 1, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_the_one_of_this_repository(package):
    module = importlib.import_module(package)
    assert Path(str(module.__file__)).is_relative_to(ROOT)


def test_the_contracts_are_kept_as_the_code_stands(tmp_path):
    result = _lint(_copy(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("module", "imported", "contract"), VIOLATIONS)
def test_a_planted_violation_is_named(planted, module, imported, contract):
    (summary,) = [
        line for line in planted.splitlines() if contract in line and line.endswith("BROKEN")
    ]
    _, _, details = planted.partition("Broken contracts")
    name = summary.removesuffix(" BROKEN")
    section = details.partition(f"\n{name}\n{'-' * len(name)}\n")[2].partition("\n----")[0]
    assert f"{module} -> {imported} (l." in section, section


def test_every_subpackage_has_its_place_in_the_layers():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = contracts["contracts"][0]["layers"]
    placed = {name.strip() for layer in layers for name in layer.split(":")}
    names = {
        path.stem
        for path in (ROOT / "rag_platform").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert names - {"__init__", "definitions"} == placed
