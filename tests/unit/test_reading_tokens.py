"""Tokens: keyed, stable, and a key that two first runs agree on."""

from __future__ import annotations

import hashlib
import hmac
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from halfyear import settings
from halfyear.errors import InfrastructureFault, UsageError
from halfyear.reading import load_key, token


def test_a_token_is_an_hmac_of_32_characters() -> None:
    expected = hmac.new(b"key", "张三".encode(), hashlib.sha256).hexdigest()[:32]
    assert token(b"key", "张三") == expected
    assert token(b"other", "张三") != expected


def test_the_environment_comes_first(tmp_path: Path) -> None:
    assert load_key(replace(settings.load(), home=tmp_path, token_key="secret")) == b"secret"
    assert not list(tmp_path.iterdir())


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    given = replace(settings.load(), home=tmp_path / "home", token_key=None)
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(load_key, [given] * 32))
    assert len(keys) == 1
    assert load_key(given) in keys
    (path,) = given.home.iterdir()
    assert path.name == "token.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(keys.pop()) == 64


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"\xff" * 64])
def test_a_damaged_key_is_never_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token.key").write_bytes(content)
    with pytest.raises(UsageError):
        load_key(replace(settings.load(), home=tmp_path, token_key=None))
    assert (tmp_path / "token.key").read_bytes() == content


def test_an_unreadable_home_is_an_infrastructure_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InfrastructureFault):
        load_key(replace(settings.load(), home=tmp_path / "file", token_key=None))
