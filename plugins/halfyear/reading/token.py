"""Tokens: keyed digests that stand for personal values, so that rows can be joined and nobody can be named.

``token = hmac_sha256(key, normalised value)``, as hex, cut to 32 characters. The same key gives the same token
in every source, so one person is one token; without the key a token cannot be guessed back from a list of names.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from halfyear.errors import InfrastructureFault, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from halfyear.settings import Settings

_LENGTH = 32


def token(key: bytes, value: str) -> str:
    """The token of a normalised value (identifiers NFKC, stripped, upper-cased; names stripped)."""
    return _hmac(key)(value.encode("utf-8", "surrogatepass"))


def tokens(key: bytes) -> Callable[[pa.Array], pa.Array]:
    """The function that makes tokens of normalised values, an array of strings; null stays null."""
    token_of = _hmac(key)

    def tokens_of(values: pa.Array) -> pa.Array:
        import pyarrow as pa

        texts = values.cast(pa.binary()).to_pylist()
        return pa.array([None if text is None else token_of(text) for text in texts], pa.string())

    return tokens_of


@functools.lru_cache(maxsize=4)
def _hmac(key: bytes) -> Callable[[bytes], str]:
    """HMAC as RFC 2104 defines it, with the key's two blocks hashed once.

    ``hmac.digest`` begins anew for every value and takes three times as long.
    """
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    begin_inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block)).copy
    begin_outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block)).copy

    def token_of(text: bytes) -> str:
        inner, outer = begin_inner(), begin_outer()
        inner.update(text)
        outer.update(inner.digest())
        return outer.hexdigest()[:_LENGTH]

    return token_of


def load_key(settings: Settings) -> bytes:
    """The key of the tokens: ``HALFYEAR_TOKEN_KEY``, else ``<home>/token.key``, which is made when absent.

    The file is readable by its owner only and appears whole or not at all: of two first runs at once both use the
    same key. Raises InfrastructureFault when it cannot be read or made, UsageError when it holds no key.
    """
    if settings.token_key:
        return settings.token_key.encode()
    path = settings.home / "token.key"
    try:
        if not path.exists():
            _make(path)
        key = path.read_text("ascii").strip()
    except OSError as error:
        raise InfrastructureFault(
            f"{path}: 无法读取或创建令牌密钥 / the token key cannot be read or made: {error.strerror}"
        ) from None
    except UnicodeDecodeError:
        key = ""
    if len(key) < _LENGTH:
        raise UsageError(
            f"{path}: 令牌密钥为空或已损坏，请从备份恢复；换用新密钥会使同一人得到不同令牌 / the token key is empty or "
            "damaged; restore it from backup, since with a new key the same person gets another token"
        )
    return key.encode()


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another first run was faster; its key stands
            os.link(draft, path)
    finally:
        draft.unlink()
