"""npm packages for tests, in a folder of the test's own; skips, with the reason, where they cannot be had."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

VALIDATE = """
const validator = require('gltf-validator'); const fs = require('fs');
Promise.all(process.argv.slice(2).map(async (name) => {
  const report = await validator.validateBytes(new Uint8Array(fs.readFileSync(name)));
  return {name, errors: report.issues.numErrors, warnings: report.issues.numWarnings, messages: report.issues.messages};
})).then((reports) => console.log(JSON.stringify(reports)));
"""


def install(folder: Path, package: str) -> Path:
    """folder/node_modules with `package`, as name@version."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip(f"no npm to fetch {package} with")
    fetched = subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", package],
        cwd=folder, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    if fetched.returncode:
        pytest.skip(f"npm could not fetch {package}: {fetched.stderr.strip()[-200:]}")
    return folder / "node_modules"


def validate(folder: Path, *files: Path) -> list[dict]:
    """What Khronos' validator says about each glTF file."""
    install(folder, "gltf-validator@2.0.0-dev.3.10")
    script = folder / "validate.js"
    script.write_text(VALIDATE)
    told = subprocess.run(["node", str(script), *map(str, files)], cwd=folder, capture_output=True, text=True,
                          timeout=180, check=True)  # fmt: skip
    reports: list[dict] = json.loads(told.stdout)
    return reports
