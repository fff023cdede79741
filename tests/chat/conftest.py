import runpy
from pathlib import Path

_shared = runpy.run_path(str(Path(__file__).parents[1] / "ingestion" / "conftest.py"))
stages, platforms, platform, pipeline, put = (
    _shared[name] for name in ("stages", "platforms", "platform", "pipeline", "put")
)
