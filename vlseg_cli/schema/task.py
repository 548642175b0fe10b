"""What a model can be asked to do."""

from enum import StrEnum


class Task(StrEnum):
    """The tasks of the five systems, by the names the field uses."""

    PANOPTIC = "panoptic"
    SEMANTIC = "semantic"
    INSTANCE = "instance"
    REFER = "refer"
    REASON = "reason"
    INTERACTIVE = "interactive"
    DETECT = "detect"
    GROUND = "ground"
    VOS = "vos"
    RVOS = "rvos"
    VIS = "vis"
    CHAT = "chat"
