"""The account of a file in words of both languages: its verdict, and where each row that was read went."""

from __future__ import annotations

#: The verdicts of the ledger. None is a delivery that nobody has judged yet.
VERDICTS = {
    "loaded": "已装载 loaded",
    "loaded_with_quarantine": "部分隔离 loaded with quarantine",
    "refused": "拒收 refused",
    "repeated": "重复 repeated",
    "superseded": "已被取代 superseded",
    "ignored": "忽略 ignored",
    None: "待处理 waiting",
}


def line(
    file_name: str,
    verdict: str,
    *,
    read: int,
    loaded: int,
    quarantined: int,
    skipped: int,
    nulled: int = 0,
    reason: str = "",
) -> str:
    """One sentence: read = loaded + quarantined + skipped, the values that loaded as null, and the reason of a refusal."""
    values = f"; 按空值装载的值 values loaded as null: {nulled}" if nulled else ""
    return (
        f"{file_name}: {VERDICTS[verdict]}: 读取 read {read} = 装载 loaded {loaded} + 隔离 quarantined {quarantined} "
        f"+ 跳过 skipped {skipped}{values}{f'; {reason}' if reason else ''}"
    )
