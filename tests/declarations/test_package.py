"""The package: every folder tells its story and exports little, and no module is long without a reason."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "plugins" / "halfyear"
MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_short_or_says_why_not(path: Path) -> None:
    text = path.read_text("utf-8")
    said = ast.get_docstring(ast.parse(text)) or ""
    assert said, "a module says what it is for"
    assert len(text.splitlines()) <= 400 or "In one module: " in said


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("__init__.py")), ids=lambda path: path.parent.name)
def test_a_folder_exports_ten_names_at_most(path: Path) -> None:
    exported = [
        len(ast.literal_eval(node.value))
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "__all__" for target in node.targets)
    ]
    assert sum(exported) <= 10
