"""Panoptic records and maps of drawn things that belong to a published vocabulary."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.class_names import ClassTable
from vlseg_cli.datasets.specimens.classes import Member
from vlseg_cli.outputs.panoptic import ids_to_rgb
from vlseg_cli.schema import segment_from_mask

_STEP = 1000  # between ids, so that more than one colour channel is in use


def panoptic_record(
    members: Sequence[Member], table: ClassTable, image_id: str, file_name: str
) -> tuple[dict[str, Any], NDArray[np.uint8]]:
    """The entry of one picture with a segment per member, in their order, and its map."""
    ids = np.zeros(members[0].mask.shape, np.int32)
    segments = []
    for number, member in enumerate(members, start=1):
        ids[member.mask] = number * _STEP
        seen = segment_from_mask(member.mask, 1.0, "")
        segments.append(
            {
                "id": number * _STEP,
                "category_id": table.ids[member.place],
                "area": seen.area,
                "bbox": [int(side) for side in seen.bbox],
                "iscrowd": 0,
            }
        )
    record = {"image_id": image_id, "file_name": file_name, "segments_info": segments}
    return record, ids_to_rgb(ids)


def categories(table: ClassTable) -> list[dict[str, Any]]:
    """The vocabulary as panoptic files list it."""
    rows = zip(table.ids, table.names, table.things, strict=True)
    return [{"id": id, "name": name, "isthing": int(thing)} for id, name, thing in rows]
