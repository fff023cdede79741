import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Instead of a gigabyte: what passes for Python makes an environment that says what pip would do.
PYTHON = """#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
    mkdir -p "$3/bin"
    printf '#!/bin/sh\\necho "$@"\\n' > "$3/bin/python"
    chmod +x "$3/bin/python"
fi
"""


@pytest.fixture
def make(tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    return ["make", "-C", str(tmp_path), "env", f"PYTHON={python}"]


def test_a_log_gets_no_lines_about_packages(make):
    done = subprocess.run(make, capture_output=True, check=True, text=True)
    assert "install --quiet -c constraints.txt -e ." in done.stdout


def test_a_person_sees_what_is_installed(make):
    ours, theirs = pty.openpty()
    done = subprocess.run(make, stdout=subprocess.PIPE, stderr=theirs, check=True, text=True)
    os.close(ours)
    os.close(theirs)
    assert "install -c constraints.txt -e ." in done.stdout
