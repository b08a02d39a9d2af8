"""The scale-out form: docker-compose.yaml and the Dockerfile say what they promise (nothing is started here)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yaml"
DOCKERFILE = ROOT / "Dockerfile"
TOOLS = Path(sys.executable).parent

SECRETS = {
    "AIRFLOW_ADMIN_PASSWORD",
    "AIRFLOW_DATABASE_PASSWORD",
    "AIRFLOW_FERNET_KEY",
    "AIRFLOW_JWT_SECRET",
    "AIRFLOW_READER_PASSWORD",
    "AIRFLOW_SECRET_KEY",
    "HALFYEAR_LOADER_PASSWORD",
    "HALFYEAR_OWNER_PASSWORD",
    "HALFYEAR_PUBLISHER_PASSWORD",
    "HALFYEAR_READER_PASSWORD",
    "HALFYEAR_TOKEN_KEY",
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
}
AIRFLOW = {"api-server", "dag-processor", "init", "scheduler", "triggerer", "worker-1", "worker-2"}


def config(**variables: str) -> subprocess.CompletedProcess[str]:
    """Compose's own reading of the file with the given variables and no others: the checkout's .env is not read."""
    with tempfile.NamedTemporaryFile("w", suffix=".env") as file:
        file.writelines(f"{name}={value}\n" for name, value in variables.items())
        file.flush()
        return subprocess.run(
            ["docker-compose", "--file", str(COMPOSE), "--env-file", file.name, "config"],
            env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def services() -> Iterator[dict[str, Any]]:
    done = config(**{name: f"secret-of-{name.lower()}" for name in SECRETS})
    assert done.returncode == 0, done.stderr
    yield yaml.safe_load(done.stdout)["services"]


def test_the_services_are_those_of_the_scale_out_form(services: dict[str, Any]) -> None:
    assert services.keys() == AIRFLOW | {"postgres", "redis"}
    commands = {name: service["command"] for name, service in services.items()}
    assert commands["api-server"] == ["airflow", "api-server"]
    assert commands["scheduler"] == ["airflow", "scheduler"]
    assert commands["dag-processor"] == ["airflow", "dag-processor"]
    assert commands["triggerer"] == ["airflow", "triggerer"]
    assert commands["worker-1"] == commands["worker-2"] == ["airflow", "celery", "worker"]
    for name in AIRFLOW:
        assert services[name]["environment"]["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_every_secret_is_required(missing: str) -> None:
    done = config(**{name: "secret" for name in SECRETS - {missing}})
    assert done.returncode != 0
    assert missing in done.stderr, done.stderr


def test_an_empty_secret_is_none() -> None:
    done = config(**{name: "secret" for name in SECRETS} | {"HALFYEAR_TOKEN_KEY": ""})
    assert done.returncode != 0
    assert "HALFYEAR_TOKEN_KEY" in done.stderr


def test_the_example_names_every_secret_and_holds_none() -> None:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    named = {line.partition("=")[0]: line.partition("=")[2] for line in lines if re.match(r"[A-Z]", line)}
    assert named.keys() == SECRETS
    assert set(named.values()) == {""}
    optional = {line[1:].partition("=")[0] for line in lines if re.match(r"#[A-Z_]+=", line)}
    used = set(re.findall(r"\$\{(\w+):-", COMPOSE.read_text("utf-8")))
    used |= set(re.findall(r"^  (AWS_\w+):$", COMPOSE.read_text("utf-8"), re.MULTILINE))
    assert optional == used


def test_no_secret_has_a_default() -> None:
    text = COMPOSE.read_text("utf-8")
    for name in SECRETS:
        uses = re.findall(rf"\$\{{?{name}[^}}]*\}}?", text)
        # $$NAME is resolved inside the container.
        bare = [use for use in uses if f"$${name}" not in text and ":?" not in use]
        assert uses and not bare, name


def test_who_holds_which_secret(services: dict[str, Any]) -> None:
    def holders(name: str) -> set[str]:
        needle = f"secret-of-{name.lower()}"
        return {service for service, said in services.items() if needle in yaml.safe_dump(said, width=10_000)}

    workers = {"worker-1", "worker-2"}
    assert holders("HALFYEAR_TOKEN_KEY") == workers
    assert holders("HALFYEAR_LOADER_PASSWORD") == workers | {"postgres"}
    assert holders("HALFYEAR_OWNER_PASSWORD") == {"init", "postgres"}
    assert holders("HALFYEAR_PUBLISHER_PASSWORD") == workers | {"postgres"}
    assert holders("AIRFLOW_READER_PASSWORD") == workers | {"init"}
    assert holders("HALFYEAR_READER_PASSWORD") == {"postgres"}
    assert holders("POSTGRES_PASSWORD") == {"postgres"}
    assert holders("AIRFLOW_ADMIN_PASSWORD") == {"init"}


def test_every_service_is_confined_and_has_a_health_check(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
        assert service["user"] not in ("", "0", "0:0", "root"), name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        for port in service.get("ports", []):
            assert str(port).startswith("127.0.0.1:"), (name, port)


def test_nothing_starts_before_what_it_needs(services: dict[str, Any]) -> None:
    for name in AIRFLOW - {"init"}:
        assert services[name]["depends_on"]["init"]["condition"] == "service_completed_successfully", name
    assert services["init"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("scheduler", "worker-1", "worker-2"):
        assert services[name]["depends_on"]["redis"]["condition"] == "service_healthy", name


def test_images_can_be_chosen_and_name_no_registry(services: dict[str, Any]) -> None:
    chosen = config(
        **{name: "secret" for name in SECRETS},
        PYTHON_IMAGE="mirror/python:9",
        POSTGRES_IMAGE="mirror/postgres:9",
        REDIS_IMAGE="mirror/redis:9",
    )
    said = yaml.safe_load(chosen.stdout)["services"]
    assert said["postgres"]["image"] == "mirror/postgres:9"
    assert said["redis"]["image"] == "mirror/redis:9"
    for name in AIRFLOW:
        assert said[name]["build"]["args"] == {"PYTHON_IMAGE": "mirror/python:9"}
    defaults = {service["image"] for service in services.values()}
    defaults |= {services["init"]["build"]["args"]["PYTHON_IMAGE"]}
    for image in defaults:
        assert re.fullmatch(r"[a-z]+:[a-z0-9.-]+", image), image


def test_postgres_is_the_engine_that_halfyear_needs(services: dict[str, Any]) -> None:
    assert services["postgres"]["image"].startswith("postgres:18")


def test_the_file_is_valid_for_compose_v2_too() -> None:
    """The schema of the Compose specification, as the linter check-jsonschema carries it."""
    done = subprocess.run(
        [str(TOOLS / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Version 2 warns of `version:`, which docker-compose 1.29 no longer needs.
    assert "version" not in yaml.safe_load(COMPOSE.read_text("utf-8"))


def test_the_dockerfile_passes_hadolint() -> None:
    done = subprocess.run(
        [str(TOOLS / "hadolint"), "--no-color", "--failure-threshold", "info", str(DOCKERFILE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_is_built_from_an_argument_and_from_locked_packages() -> None:
    text = DOCKERFILE.read_text("utf-8")
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${PYTHON_IMAGE}"}
    assert re.search(r"^ARG PYTHON_IMAGE=", text, re.MULTILINE)
    assert "--require-hashes" in text
    [user] = re.findall(r"^USER (\S+)", text, re.MULTILINE)
    assert user == "50000:50000"
    copied = {path for line in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.MULTILINE) for path in line.split()}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert copied == allowed
    for path in copied:
        assert (ROOT / path).exists(), path


def test_the_locks_agree_and_are_hashed() -> None:
    def pins(name: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for package, version in re.findall(
            r"^([a-z0-9._-]+)==([^ ;]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE
        ):
            found.setdefault(package, set()).add(version)
        return found

    base, scale_out = pins("requirements.txt"), pins("requirements-scale-out.txt")
    assert {name: scale_out.get(name) for name in base} == base
    bench = pins("requirements-bench.txt")
    assert {name: bench.get(name) for name in base} == base
    assert {"apache-airflow-providers-celery", "celery", "redis", "s3fs"} <= scale_out.keys()
    blocks = re.split(r"^(?=[a-z0-9])", (ROOT / "requirements-scale-out.txt").read_text("utf-8"), flags=re.MULTILINE)
    assert all("--hash=sha256:" in block for block in blocks if "==" in block.splitlines()[0])
