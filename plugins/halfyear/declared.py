"""Declared: what the parts of a declaration have in common. Unknown keys are errors, and names are written in camelCase."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)


class Strict(BaseModel):
    """A part of a declaration, which nobody changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=_camel, populate_by_name=True)
