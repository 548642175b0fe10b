"""Groups of options: a command takes one dataclass, its user sees each field as an option.

Typer reads a command's options from its signature. A dozen of them, the same in five commands, are
written once as the fields of a dataclass; the decorator puts them into the signature.
"""

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Show every field of a parameter that is a dataclass as a parameter of its own."""
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if is_dataclass(parameter.annotation)
    }

    @wraps(command)
    def spread_command(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        command(**values)

    shown: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        if name in groups:
            shown += inspect.signature(parameter.annotation, eval_str=True).parameters.values()
        else:
            shown.append(parameter)
    keywords = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in shown]
    spread_command.__signature__ = signature.replace(parameters=keywords)  # type: ignore[attr-defined]
    return spread_command
