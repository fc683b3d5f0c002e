"""Every script of the screens can be read as a module: else its page stays empty."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

SCRIPTS = REPOSITORY / "annotation/static/concord/js"
READS = """
const { readFileSync } = require("node:fs");
const { SourceTextModule } = require("node:vm");
const wrong = [];
for (const name of JSON.parse(readFileSync(0, "utf8"))) {
  try { new SourceTextModule(readFileSync(name, "utf8")); } catch (error) { wrong.push(`${name}: ${error.message}`); }
}
console.log(JSON.stringify(wrong));
"""


def find_unreadable(paths: list[Path]) -> list[str]:
    beside = Path(sys.executable).parent
    node = shutil.which("node", path=f"{os.environ.get('PATH', '')}{os.pathsep}{beside}")
    if node is None:
        pytest.skip("There is no node here: make setup finds one, or installs it.")
    done = subprocess.run(
        [node, "--no-warnings", "--experimental-vm-modules", "-e", READS],
        input=json.dumps([str(path) for path in paths]),
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


def test_every_script_parses(tmp_path):
    spoiled = tmp_path / "spoiled.js"
    spoiled.write_text('import { version } from "./x.js";\nlet version = 1;\n')
    scripts = sorted(SCRIPTS.rglob("*.js"))
    assert len(scripts) > 100
    (found,) = find_unreadable([*scripts, spoiled])
    assert found.startswith(str(spoiled)) and "already been declared" in found
