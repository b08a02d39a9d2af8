"""Commands of administration: start, stop, migrate, look after what is missing."""

from __future__ import annotations

import sys
from datetime import timedelta

import click

from halfyear import settings as settings_module
from halfyear.terminal import home, options
from halfyear.terminal.group import Section

SECTION = Section("管理 Administration")


@SECTION.command()
def up() -> None:
    """启动内置数据仓库和 Airflow / Start the embedded warehouse and Airflow, and bring the warehouse up to date."""
    from halfyear.scheduling import airflow_service
    from halfyear.terminal import console

    settings = settings_module.load()
    home.ready(settings)
    state = airflow_service.start_airflow(settings, click.echo)
    console.say(f"Airflow 页面 page: {state.url}; 用户 user: {state.user}; 密码 password: {state.password}")
    console.say(
        f"批准 {state.user} 编制的，用 / to approve what {state.user} prepared: 用户 user: {state.approver}; 密码 password: "
        f"{state.approver_password}"
    )


@SECTION.command()
def down() -> None:
    """停止 Airflow 和内置数据仓库 / Stop Airflow and the embedded warehouse; nothing keeps running, data stays."""
    from halfyear import landing
    from halfyear.scheduling import airflow_service
    from halfyear.terminal import console
    from halfyear.warehouse import embedded

    settings = settings_module.load()
    landing.sweep(settings, age=timedelta(0))
    stopped = []
    try:
        if airflow_service.stop_airflow(settings):
            stopped.append("Airflow")
    finally:  # the server stops also where Airflow does not
        if embedded.stop_server(settings):
            stopped.append("内置数据仓库 embedded warehouse")
    console.say(f"已停止 stopped: {', '.join(stopped)}" if stopped else "没有在运行的 / nothing was running")


@SECTION.command()
def doctor() -> None:
    """检查夜间处理所需，说明如何补齐 / Look at everything that a night needs, and say what to do where something is missing."""
    from halfyear.terminal import status

    problems = status.doctor(settings_module.load())
    if problems:
        sys.exit(3)


@SECTION.command()
def migrate() -> None:
    """使数据仓库与声明一致 / Bring the warehouse to what sql/ and expectations/ declare."""
    from halfyear import warehouse
    from halfyear.scheduling import night
    from halfyear.terminal import console

    settings = settings_module.load()
    home.start(settings)
    if not warehouse.migrate(settings, console.say):
        console.say("已是最新，无需迁移 / nothing to migrate")
    night.judge_references()


@SECTION.command()
def bodies() -> None:
    """为名单外单位起草名单行 / Draft the lines of expectations/core for bodies that no list knows; a person reviews and
    adds them.

    空着的（复核人、代码、类型）须补齐，否则名单不予装载 / What is left empty (who reviewed it, a code, a kind) has to be filled in:
    a list is not loaded without it.
    """
    from halfyear import warehouse
    from halfyear.mart import bodies as bodies_module
    from halfyear.scheduling import night
    from halfyear.terminal import body_drafts

    night.judge_references()
    with warehouse.transaction(settings_module.load()) as connection:
        drafts = bodies_module.by_table(bodies_module.drafts(connection))
    body_drafts.show(drafts)


@SECTION.command()
@click.option(
    "--check",
    "only_check",
    is_flag=True,
    help="只检查生成文件是否最新，不是则退出码为 1 / Only say whether the generated files are true; exit 1 if not.",
)
def docs(only_check: bool) -> None:
    """生成数据字典、指标清单、JSON Schema / Write what is generated: data dictionary, indicator list, JSON Schemas."""
    from halfyear.terminal import console, documentation

    settings = settings_module.load()
    changed = documentation.write(settings, only_check)
    for path in changed:
        console.say(f"{'已过时 out of date' if only_check else '已写入 wrote'}: {path}")
    if only_check and changed:
        console.say("请运行 / run: halfyear docs")
    if only_check and changed:
        sys.exit(options.FINDINGS)
