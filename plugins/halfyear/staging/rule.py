"""Rules: what a contract expects of the rows of its source, in Great Expectations' own form.

Those that follow from the properties (required, enumeration, minimum, dates, check digit, key) come first, then those
that the contract writes itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import Any, Final

from halfyear.contract import REGION_CODE_FORM, Contract, Dimension, Property, Rule, Severity, Title
from halfyear.errors import ContractError
from halfyear.settings import LOCAL_ZONE

#: No export speaks of an event before this day.
EARLIEST_DAY: Final = date(1990, 1, 1)
#: The day after which nothing can have happened, as a parameter of the suite; the timestamp is its exclusive end.
SNAPSHOT_DATE: Final = "snapshot_date"
SNAPSHOT_END: Final = "snapshot_end"
#: The rule that no record key is there twice.
KEY_IS_UNIQUE: Final = "record_key_unique"
#: What is said to be done about a breach, where the rule itself says nothing.
REMEDY: Final = Title(
    zh="在源系统更正后重新导出",
    en="correct it in the source system and export again",
)


def suite(contract: Contract) -> list[Rule]:
    """Every rule of a source: those that follow from its properties, then its own.

    Raises ContractError when one of its own has the name of a rule that follows.
    """
    rules = [rule for column in contract.columns for rule in _obvious(column)]
    rules.append(_key_is_unique(contract))
    taken = {rule.rule for rule in rules} & {rule.rule for rule in contract.quality}
    if taken:
        zh, en = "规则名已由字段推导占用", "this name belongs to a rule that follows from a property"
        raise fault(contract.source, min(taken), zh, en)
    return [*rules, *contract.quality]


def column_of(rule: Rule) -> str | None:
    """The column that a finding of this rule points at."""
    kwargs = rule.kwargs
    listed = kwargs.get("column_list") or kwargs.get("column_set") or [None]
    return rule.column or kwargs.get("column") or kwargs.get("column_A") or listed[0]


def is_nulled(contract: Contract, rule: Rule) -> bool:
    """Whether a value that breaks the rule loads as null, instead of its row going to quarantine."""
    return rule.severity == "warning" and column_of(rule) in {p.column for p in contract.columns if p.null_when_invalid}


def _obvious(column: Property) -> Iterator[Rule]:
    """The rules that follow from one property (GB/T 36344 names the dimensions)."""
    zh, en = column.business_name, column.name
    make = functools.partial(_derived, column)
    if column.is_required:
        yield make(
            "required",
            "expect_column_values_to_not_be_null",
            "completeness",
            Title(zh=f"{zh}必填", en=f"{en} is required"),
            Title(zh=f"在源系统补填{zh}后重新导出", en=f"fill in {en} in the source system and export again"),
        )
    if column.is_personal:
        # What is stored is a token: nothing more can be asked of it.
        return
    if column.values is not None:
        labels = list(column.values)
        yield make(
            "enumeration",
            "expect_column_values_to_be_in_set",
            "normative",
            Title(zh=f"{zh}只能取：{'、'.join(labels)}", en=f"{en} is one of: {', '.join(labels)}"),
            Title(
                zh=f"在源系统改为约定取值；新的取值须先写入合同的{zh}",
                en=f"use an agreed value in the source system; a new one is first added to {en} in the contract",
            ),
            value_set=labels,
        )
    if column.minimum is not None:
        least = f"{column.minimum:g}"
        yield make(
            "minimum",
            "expect_column_values_to_be_between",
            "accuracy",
            Title(zh=f"{zh}不小于{least}", en=f"{en} is at least {least}"),
            min_value=column.minimum,
        )
    if column.logical_type in ("date", "timestamp"):
        yield _within_range(column, make)
    if column.format == "unified_social_credit_code":
        yield make(
            "check_digit",
            "expect_column_values_to_be_unified_social_credit_code",
            "normative",
            Title(
                zh=f"{zh}须为校验码正确的统一社会信用代码（GB 32100）",
                en=f"{en} is a unified social credit code with right check characters (GB 32100)",
            ),
            Title(
                zh=f"按登记证书核对{zh}后重新导出",
                en=f"compare {en} with the certificate of registration and export again",
            ),
        )
    if column.format == "region_code":
        yield make(
            "form",
            "expect_column_values_to_match_regex",
            "normative",
            Title(zh=f"{zh}为6、9或12位数字", en=f"{en} has 6, 9 or 12 digits"),
            regex=REGION_CODE_FORM,
        )
        yield make(
            "known",
            "expect_column_values_to_be_known_region_codes",
            "normative",
            Title(
                zh=f"{zh}须是本市的区划，或属于国家标准（GB/T 2260，1981年以来任一版）中的县级区划",
                en=f"{en} is a region of the city, or lies in a county of GB/T 2260 (any edition since 1981)",
            ),
            Title(
                zh=f"核对{zh}；本市新设的镇、村须先写入 expectations/core/region.csv",
                en=f"compare {en} with the list; a new town or village is first added to expectations/core/region.csv",
            ),
            severity="info",
        )


def _within_range(column: Property, make: Callable[..., Rule]) -> Rule:
    zh, en = column.business_name, column.name
    first = EARLIEST_DAY.isoformat()
    limits: dict[str, Any] = {"min_value": first}
    end: dict[str, Any] = {"max_value": {"$PARAMETER": SNAPSHOT_DATE}}
    if column.logical_type == "timestamp":
        limits = {"min_value": midnight(EARLIEST_DAY)}
        end = {"max_value": {"$PARAMETER": SNAPSHOT_END}, "strict_max": True}
    if column.allow_future:
        title = Title(zh=f"{zh}不早于{first}", en=f"{en} is not before {first}")
    else:
        limits |= end
        title = Title(
            zh=f"{zh}不早于{first}且不晚于快照日期",
            en=f"{en} is not before {first} and not after the snapshot date",
        )
    return make("within_range", "expect_column_values_to_be_between", "accuracy", title, **limits)


def _derived(
    column: Property,
    suffix: str,
    expectation_type: str,
    dimension: Dimension,
    description: Title,
    remedy: Title = REMEDY,
    severity: Severity = "warning",
    **kwargs: Any,
) -> Rule:
    return Rule(
        rule=f"{column.name}_{suffix}",
        type=expectation_type,
        kwargs={"column": column.column, **kwargs},
        severity=severity,
        dimension=dimension,
        description=description,
        remedy=remedy,
    )


def _key_is_unique(contract: Contract) -> Rule:
    zh = "、".join(p.business_name for p in contract.key)
    en = ", ".join(p.name for p in contract.key)
    return Rule(
        rule=KEY_IS_UNIQUE,
        type="expect_column_values_to_be_unique",
        kwargs={"column": "record_key"},
        column=", ".join(p.column for p in contract.key),
        dimension="accuracy",
        description=Title(
            zh=f"{zh}在同一文件中不重复；相同而内容不同的记录全部隔离",
            en=f"{en} occurs once in a file; records that share it and differ in content are all quarantined",
        ),
        remedy=Title(
            zh="在源系统保留其中正确的一条后重新导出",
            en="keep the right one in the source system and export again",
        ),
    )


def midnight(day: date) -> str:
    """The first instant of a day in Asia/Shanghai, in ISO form."""
    return datetime.combine(day, time(), LOCAL_ZONE).isoformat()


def fault(name: str, rule: str, zh: str, en: str) -> ContractError:
    """The error for a rule of the file ``<name>.yaml``."""
    return ContractError(f"{name}.yaml: {rule}: {zh} / {en}")
