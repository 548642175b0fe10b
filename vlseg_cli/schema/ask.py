"""One thing asked of one encoded frame; many asks share a single look at the picture."""

from dataclasses import dataclass

from vlseg_cli.schema.prompt import Prompt
from vlseg_cli.schema.task import Task


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """A prompt for frame number ``frame`` of an encoded batch.

    threshold: score in [0, 1] below which a segment is dropped; None takes the task's own default
    (for sentences: exactly the best segment). many: for sentences, every segment above the
    threshold joins the answer instead of the best alone (generalised referring).
    """

    frame: int
    task: Task
    prompt: Prompt
    threshold: float | None = None
    many: bool = False
