"""The form of the command line: commands under headings, help in both languages that is cut nowhere.

A `Section` holds the commands of one heading; `HalfyearGroup` lists them so. Click measures text in characters; a
Hanzi fills two cells of a terminal, so that help is laid out here in cells.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from halfyear.terminal import ending
from halfyear.terminal.wrapping import wrapped

#: What Click says in help, in both languages.
_WORDS = {
    "Usage:": "用法 Usage:",
    "Options": "选项 Options",
    "Show this message and exit.": "显示此说明 / Show this message and exit.",
    "Show the version and exit.": "显示版本 / Show the version and exit.",
}
_DEFAULT = re.compile(r"\[(default|required)\b")
_DEFAULTS = {"default": "默认 default", "required": "必填 required"}
#: Below this width a second column is not worth having.
_NARROW = 20


class _Formatter(click.HelpFormatter):
    """Lays out help by the cells that characters fill."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, f"{_WORDS['Usage:']} " if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        super().write_heading(_WORDS.get(heading, heading))

    def write_text(self, text: str) -> None:
        space = " " * self.current_indent
        paragraphs = [" ".join(each.split()) for each in re.split(r"\n\s*\n", text)]
        blocks = ["\n".join(space + line for line in wrapped(each, self.width - len(space))) for each in paragraphs]
        self.write("\n\n".join(blocks) + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        found = list(rows)
        first = min(max(len(term) for term, _ in found), col_max) + col_spacing
        space = " " * (self.current_indent + first)
        width = max(self.width - len(space), _NARROW)
        for term, text in found:
            said = _DEFAULT.sub(lambda match: f"[{_DEFAULTS[match[1]]}", _WORDS.get(text, text))
            lines = wrapped(said, width) or [""]
            start = " " * self.current_indent + term
            if len(term) > first - col_spacing:
                self.write(f"{start}\n")
                start = ""
            self.write(f"{start.ljust(len(space))}{lines[0]}".rstrip() + "\n")
            self.write("".join(f"{space}{line}\n" for line in lines[1:]))


class _Context(click.Context):
    formatter_class = _Formatter


class HalfyearCommand(click.Command):
    """A command whose help is laid out by cells."""

    context_class = _Context

    @property
    def summary(self) -> str:
        """The first paragraph of the help, whole."""
        return " ".join((self.help or "").split("\n\n")[0].split())


class Section:
    """The commands of one heading of ``halfyear --help``, in the order in which they are listed."""

    def __init__(self, heading: str) -> None:
        self.heading = heading
        self.commands: list[HalfyearCommand] = []

    def command(self, name: str | None = None) -> Callable[[Callable[..., Any]], HalfyearCommand]:
        """Make a command of a function, as `click.command` does, and list it here."""

        def decorate(function: Callable[..., Any]) -> HalfyearCommand:
            made = click.command(name, cls=HalfyearCommand)(function)
            self.commands.append(made)
            return made

        return decorate


class HalfyearGroup(click.Group):
    """The commands of all sections."""

    context_class = _Context

    def __init__(self, *args: Any, sections: Sequence[Section] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = sections
        for section in sections:
            for command in section.commands:
                self.add_command(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, self.commands))
        for section in self.sections:
            with formatter.section(section.heading):
                formatter.write_dl(
                    [((command.name or "").ljust(width), command.summary) for command in section.commands]
                )

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command. Whatever can be explained ends in one line and an exit code."""
        if not standalone_mode:
            return super().main(args, prog_name, standalone_mode=False, **extra)
        ending.outlive_readers()
        try:
            sys.exit(super().main(args, prog_name, standalone_mode=False, **extra))
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except Exception as error:
            found = ending.explained(error)
            if found is None:
                raise
            ending.failed(*found)
