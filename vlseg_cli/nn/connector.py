"""From the last feature map to image tokens of the language model (PSALM's 'swin_conv').

A residual block of three 3x3 convolutions, two of which share weights, then a linear layer.
Source: PSALM section 3.2 of the code, ``mm_projector`` with ``mm_projector_type = "swin_conv"``.
"""

from torch import Tensor, nn
from torch.nn import functional as F


class SwinConnector(nn.Module):
    """Feature map to tokens; ``stride`` 2 halves each side first, ``width`` is the inner width."""

    def __init__(self, in_channels: int, width: int, out_channels: int, stride: int = 2) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut = nn.Sequential(
            nn.Conv2d(in_channels, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width)
        )
        self.fc = nn.Linear(width, out_channels)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, D, h/stride, w/stride): a map of tokens, row-major when flattened."""
        hidden = F.relu(self.bn1(self.conv1(features)))
        hidden = self.bn2(self.conv2(self.conv2(hidden)))  # the same weights twice, nothing between
        hidden = F.relu(hidden + self.shortcut(features))
        tokens: Tensor = self.fc(hidden.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return tokens
