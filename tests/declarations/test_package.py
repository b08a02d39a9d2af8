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


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_long_statement_is_a_file(path: Path) -> None:
    """What is put together from names, by ``{}``, stays in Python."""
    long = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.split(maxsplit=1)[:1] in (["select"], ["insert"], ["update"], ["delete"], ["with"])
        and "{" not in node.value
        and (node.end_lineno or 0) - node.lineno >= 4
        and not _is_in_f_string(path, node)
    ]
    assert not long, "a fixed statement of more than four lines is a .sql file beside its module"


def _is_in_f_string(path: Path, wanted: ast.Constant) -> bool:
    return any(
        isinstance(node, ast.JoinedStr) and node.lineno <= wanted.lineno <= (node.end_lineno or 0)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.sql")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_statement_is_run_by_a_module_beside_it(path: Path) -> None:
    # A page is run by its name; the module beside the folder runs all of them.
    assert path.parent.name == "pages" or any(
        f'"{path.stem}"' in module.read_text("utf-8") for module in path.parent.glob("*.py")
    )
