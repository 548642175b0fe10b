"""``vlseg world``: draw synthetic scenes with ground truth."""

from pathlib import Path
from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.cli.values import parse_seeds
from vlseg_cli.schema import UsageError
from vlseg_cli.synthetic.hands import DEFAULT_HAND, hand_named

_SCENES = 10


def command(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write to.")],
    scenes: Annotated[
        int | None, typer.Option(min=1, help="How many scenes.", show_default=str(_SCENES))
    ] = None,
    seeds: options.Seeds = None,
    size: Annotated[int, typer.Option(min=64, max=4096, help="Side of an image, px.")] = 256,
    video: Annotated[bool, typer.Option("--video", help="Also a short clip per seed.")] = False,
    hand: Annotated[str, typer.Option(help=options.HAND_HELP, metavar="NAME")] = DEFAULT_HAND,
    quiet: options.Quiet = False,
) -> None:
    """Draw synthetic scenes with ground truth, in standard formats.

    vlseg world scenes/ --scenes 100

    vlseg world clips/ --seeds 900000:900010 --video --size 192
    """
    chosen = choose_seeds(scenes, seeds)
    hand_named(hand)
    from vlseg_cli.cli.console import Console
    from vlseg_cli.outputs import OutputFolder
    from vlseg_cli.synthetic.export import export_scenes

    OutputFolder(out).make()
    export_scenes(out, chosen, size, video, hand=hand)
    Console(quiet).note(f"Drew {len(chosen)} scenes into {out}.")


def choose_seeds(scenes: int | None, seeds: str | None) -> range:
    """The first ``scenes`` of ``seeds``.

    Raises UsageError if the range has fewer seeds.
    """
    if seeds is None:
        return range(scenes or _SCENES)
    chosen = parse_seeds(seeds)
    if scenes and scenes > len(chosen):
        raise UsageError(f"--seeds {seeds} has {len(chosen)} seeds, fewer than {scenes} scenes.")
    return chosen[:scenes] if scenes else chosen
