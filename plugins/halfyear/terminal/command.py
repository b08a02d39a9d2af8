"""The command ``halfyear``: the commands of all sections under one name.

Each command is a few lines over the package; what takes long to import is imported inside of it.
"""

from __future__ import annotations

import click

from halfyear.terminal import administration, figures, publishing, running
from halfyear.terminal.group import HalfyearGroup


@click.group(
    cls=HalfyearGroup,
    sections=(running.SECTION, figures.SECTION, publishing.SECTION, administration.SECTION),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="halfyear")
def main() -> None:
    """半年期：每晚导出的数据汇成可信、可追溯的半年指标表 / Halfyear: from nightly exports to half-year indicator tables that
    can be trusted and traced.

    设置用环境变量 / Settings are environment variables: HALFYEAR_HOME (默认为检出目录下的 .halfyear / default: .halfyear in the
    checkout), HALFYEAR_PROJECT (含 expectations/ 和 sql/ 的检出目录，默认为程序所在 / the checkout with expectations/ and sql/;
    default: where the program lies), HALFYEAR_INBOX, HALFYEAR_LANDING, HALFYEAR_WAREHOUSE (PostgreSQL URL，默认为内置服务器 /
    default: the embedded server), HALFYEAR_TOKEN_KEY. 全部见 / All are in docs/architecture.md.

    退出码 / Exit codes: 0 正常 good, 1 本次有发现 findings of this run, 2 用法 usage, 3 基础设施 infrastructure, 130 中断
    interrupted.
    """
