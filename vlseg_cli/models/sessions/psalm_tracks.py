"""What the parts of a PSALM session share: a view of one frame, track numbers, and how alike
things look."""

from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from vlseg_cli.models.psalm import PSALM, Seen
from vlseg_cli.models.session import State
from vlseg_cli.models.steps import Answered
from vlseg_cli.nn.segments import Canvas
from vlseg_cli.schema import Frame, Segment

Found = list[list[Segment]]  # for each ask


class View(NamedTuple):
    """A frame, the sizes it passed through, and what the model saw of it."""

    frame: Frame
    canvas: Canvas
    seen: Seen

    def pictures(self, count: int) -> Tensor:
        """(count,) zeros: all prompts are about this one picture."""
        return torch.zeros(count, dtype=torch.long, device=self.seen.tokens.device)


class Tracks(Protocol):
    """What some of a session's asks follow. A step asks first and follows then, so that numbers
    that are not finite change nothing."""

    def ask(self, view: View) -> Answered | None:
        """What the model says about the frame; None if there is nothing to ask it yet."""
        ...

    def follow(self, view: View, answered: Answered | None) -> Found:
        """The segments of each ask, with their track numbers; remembers them."""
        ...

    def state(self) -> State:
        """Everything that is remembered."""
        ...


class TrackNumbers:
    """Numbers from 1 on, none given twice in a session."""

    def __init__(self, given: int = 0) -> None:
        self.given = given

    def take(self) -> int:
        """The next number."""
        self.given += 1
        return self.given


class Likeness:
    """How alike things of different frames look, in [-1, 1], the frame's own look taken off."""

    def __init__(self, psalm: PSALM, seen: Seen) -> None:
        self.mean = psalm.look_features(seen)[0].flatten(1).float().mean(1)

    def apart(self, looks: Tensor) -> Tensor:
        """Looks (R, C) without what all of the frame has in common."""
        return looks - self.mean


def likeness(looks: Tensor, others: Tensor) -> Tensor:
    """(N, C), (M, C) -> (N, M) cosines."""
    return F.normalize(looks.float(), dim=-1) @ F.normalize(others.float(), dim=-1).T


def mask_ious(masks: Tensor, others: Tensor) -> Tensor:
    """(N, h, w), (M, h, w) bool -> (N, M); 0 if both are empty."""
    first, second = masks.flatten(1).float(), others.flatten(1).float()
    both = first @ second.T
    either = first.sum(1, keepdim=True) + second.sum(1) - both
    return both / either.clamp(min=1)


def kept(tensor: Tensor) -> NDArray[np.generic]:
    """A tensor (of a type that NumPy knows, so never bfloat16) as a state keeps it."""
    array: NDArray[np.generic] = tensor.cpu().numpy()
    return array
