"""Version: of this code, as every load and every seal names it."""

from __future__ import annotations

import functools
import os
import subprocess
from importlib import metadata

from halfyear import settings as settings_module


@functools.cache
def code_version() -> str:
    """The version of this package, with the commit: of the checkout, or HALFYEAR_COMMIT where an image has none."""
    version = metadata.version("halfyear") if _is_installed() else "0"
    if given := os.environ.get("HALFYEAR_COMMIT"):
        return f"{version}+{given}"
    try:
        commit = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=settings_module.load().project,
            capture_output=True,
            text=True,
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return version
    return f"{version}+{commit.stdout.strip()}" if commit.returncode == 0 else version


def _is_installed() -> bool:
    try:
        metadata.version("halfyear")
    except metadata.PackageNotFoundError:
        return False
    return True
