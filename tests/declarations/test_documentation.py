"""The documents are true: what is generated has not drifted, examples are the very files, links lead somewhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from halfyear import contract
from halfyear import settings as settings_module
from halfyear.indicators import definition, population
from halfyear.mart import mart
from halfyear.terminal import documentation

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


@pytest.mark.parametrize("path", sorted(documentation.pages(settings_module.load())), ids=lambda p: p.name)
def test_what_is_generated_has_not_drifted(path: Path) -> None:
    wanted = documentation.pages(settings_module.load())[path]
    assert path.is_file(), f"{path.relative_to(ROOT)} is missing; run: halfyear docs"
    assert path.read_text("utf-8") == wanted, f"{path.relative_to(ROOT)} is out of date; run: halfyear docs"


def test_check_names_what_is_out_of_date_and_write_mends_it(tmp_path: Path) -> None:
    for name in ("expectations", "sql"):
        (tmp_path / name).symlink_to(ROOT / name)
    # The schemas lie among the declarations, which are not copied here.
    settings = replace(settings_module.load(), project=tmp_path)
    wrong = tmp_path / "docs" / "dictionary" / "a_source_that_is_gone.md"
    wrong.parent.mkdir(parents=True)
    wrong.write_text("# Gone\n", "utf-8")

    found = documentation.write(settings, only_check=True)
    assert wrong in found and tmp_path / "docs" / "indicators.md" in found
    assert wrong.exists() and not (tmp_path / "docs" / "indicators.md").exists()

    assert documentation.write(settings, only_check=False) == found
    assert not wrong.exists()
    assert documentation.write(settings, only_check=True) == []


def test_every_declaration_keeps_the_generated_schema() -> None:
    source = jsonschema.Draft202012Validator(contract.json_schema())
    files = [*ROOT.glob("expectations/sources/*.yaml"), *DOCS.rglob("expectations/sources/*.yaml")]
    assert len(files) > 4
    for path in files:
        source.validate(yaml.safe_load(path.read_text("utf-8")))
    with pytest.raises(jsonschema.ValidationError, match="unexpected"):
        source.validate({**yaml.safe_load(files[0].read_text("utf-8")), "unknownKey": 1})

    for kind, schema in (("indicators", definition.json_schema()), ("populations", population.json_schema())):
        header = jsonschema.Draft202012Validator(schema)
        headers = [*ROOT.glob(f"sql/{kind}/*.sql"), *DOCS.rglob(f"sql/{kind}/*.sql")]
        assert len(headers) > 20
        for path in headers:
            found = re.match(r"\s*/\*(.*?)\*/", path.read_text("utf-8"), re.DOTALL)
            assert found, path
            header.validate(yaml.safe_load(found[1]))


def test_the_how_to_says_every_key_of_a_header() -> None:
    tables = re.findall(
        r"^\| key \|.*\n\|---.*\n((?:\|.*\n)+)", (DOCS / "how-to" / "add-an-indicator.md").read_text(), re.M
    )
    named = [
        {key for row in table.splitlines() for key in re.findall(r"`(\w+)`", row.split("|")[1])} for table in tables
    ]
    models = definition.IndicatorHeader, population.PopulationHeader
    assert named == [set(model.model_fields) for model in models]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_examples_are_the_very_files(page: Path) -> None:
    """A block under ``<!-- file: path -->`` is that file, whole."""
    text = page.read_text("utf-8")
    for path, block in re.findall(r"<!-- file: (\S+) -->\n```\w*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        assert block == (page.parent / path).read_text("utf-8"), f"{page.name} shows another text than {path}"
    assert text.count("<!-- file:") == len(re.findall(r"<!-- file: \S+ -->\n```", text))


def test_the_how_tos_show_their_examples() -> None:
    shown = {
        path
        for page in (DOCS / "how-to").glob("*.md")
        for path in re.findall(r"<!-- file: (\S+) -->", page.read_text("utf-8"))
    }
    examples = {
        str(path.relative_to(DOCS / "how-to")) for path in (DOCS / "how-to" / "examples").rglob("*") if path.is_file()
    }
    assert shown <= examples
    assert {path for path in examples if path.endswith((".yaml", ".sql"))} <= shown


def test_every_view_of_the_mart_is_listed() -> None:
    page = (DOCS / "how-to" / "read-the-warehouse.md").read_text("utf-8")
    listed = re.findall(r"`mart\.(\w+)`", "".join(re.findall(r"^\| `mart.*$", page, re.MULTILINE)))
    views = {path.stem for path in (ROOT / "sql" / "mart").glob("*.sql")}
    domains = yaml.safe_load((ROOT / "expectations" / "indicators" / "domains.yaml").read_text("utf-8"))
    assert views | {"unknown_body_row", "unknown_reference_row"} == set(listed) - set(domains)
    assert len(listed) == len(set(listed))


def test_every_unit_of_an_example_has_a_code() -> None:
    page = (DOCS / "how-to" / "add-an-indicator.md").read_text("utf-8")
    shown = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)]
    known = yaml.safe_load((ROOT / "expectations" / "indicators" / "units.yaml").read_text("utf-8"))
    for lines in shown:
        known.update(lines)
    units = {
        unit
        for path in (DOCS / "how-to" / "examples").rglob("indicators/*.sql")
        for unit in re.findall(r"^unit: (.+)$", path.read_text("utf-8"), re.MULTILINE)
    }
    assert units <= known.keys()


def links(page: Path) -> Iterator[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings]
    return set(plain)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        assert not link.startswith("http"), f"{link}: the documents speak of this project only"
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        waiting += [(page.parent / unquote(link).partition("#")[0]).resolve() for link in links(page) if link[0] != "#"]
    assert {page for page in PAGES} <= reached


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_views_and_commands_that_a_page_names_exist(page: Path) -> None:
    from halfyear.terminal.command import main

    text = page.read_text("utf-8")
    settings = settings_module.load()
    views = {
        view.name for view in mart.views(contract.load_all(settings.expectations), definition.load_all(settings.sql))
    }
    for name in re.findall(r"`mart\.(\w+)`", text):
        assert name in views, f"mart.{name}"
    commands = re.findall(r"(?:^|[`/(] ?)halfyear ([a-z]+)\b", text, re.MULTILINE)
    for name in commands:
        assert name in main.commands, f"halfyear {name}"


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = [*project["dependencies"], *(p for group in project["optional-dependencies"].values() for p in group)]
    names = {re.match(r"[\w-]+", dependency)[0] for dependency in declared}  # type: ignore[index]
    rows = re.findall(r"^\| (`.*?) \|", (DOCS / "dependencies.md").read_text("utf-8"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([^`]+)`", row)} == names


def test_every_decision_is_listed() -> None:
    index = (DOCS / "adr" / "README.md").read_text("utf-8")
    files = sorted((DOCS / "adr").glob("0*.md"))
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", index, re.MULTILINE)
    assert listed == [(path.read_text("utf-8").splitlines()[0].removeprefix("# "), path.name) for path in files]
    assert [int(path.name[:4]) for path in files] == list(range(1, len(files) + 1))


def test_the_documents_name_no_place_of_one_machine() -> None:
    """Pages are for everyone: no home folders, no addresses of registries."""
    tracked = [*PAGES, ROOT / "Dockerfile", ROOT / "docker-compose.yaml", ROOT / ".env.example"]
    for page in tracked:
        found = re.search(
            r"/(?:home|root|Users|work)/\w+|https?://(?!(?:record-reader:\$\{[^}]+\}@)?(?:127\.0\.0\.1|api-server|localhost))\S+",
            page.read_text("utf-8"),
        )
        assert not found, f"{page.name}: {found and found[0]}"


def test_the_licence_is_the_apache_licence() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text and "Version 2.0, January 2004" in text and "END OF TERMS AND CONDITIONS" in text


def test_pictures_of_the_readme_are_there() -> None:
    shown = re.findall(r"!\[[^\]]+\]\((docs/pictures/[^)]+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert len(shown) >= 2
    for picture in shown:
        content = (ROOT / picture).read_bytes()
        assert content.startswith((b"<svg", b"\x89PNG")), picture
        # Nothing is fetched when the page is shown, except the name of the SVG language itself.
        assert not re.search(rb"(?:src|href)=\"http|url\(\"?http", content), picture
