"""Where results of benchmarks go: one JSON file, a key for each benchmark, older keys kept."""

import json
import os
from pathlib import Path
from typing import Any


def record(name: str, result: dict[str, Any], *, path: Path) -> None:
    """Put a result under its name into the file at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    results = json.loads(path.read_text()) if path.is_file() else {}
    results[name] = result | {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    path.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
