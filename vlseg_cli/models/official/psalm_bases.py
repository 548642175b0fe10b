"""Begin a PSALM with parts that others trained: Mask2Former's, or a connector of stage 1."""

from pathlib import Path

from torch import Tensor

from vlseg_cli.models.psalm import PSALM
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.convert.coverage import cover, require_complete
from vlseg_cli.weights.convert.psalm import psalm_rules
from vlseg_cli.weights.convert.psalm_bases import FRESH, PARTS, base_rules
from vlseg_cli.weights.convert.rules import Fill, convert, find_rule
from vlseg_cli.weights.folder import CONFIG
from vlseg_cli.weights.read.checkpoint import read_checkpoint


def is_base(directory: Path) -> bool:
    """Whether a folder holds parts of a model: whole ones say in config.json what they are."""
    return not (directory / CONFIG).is_file()


def base_tensors(psalm: PSALM, directory: Path) -> dict[str, Tensor]:
    """What a base has of a model, by our names; the rest may stay as it is.

    Raises WeightsError naming what is unknown, misshapen, or lacking in a part that is there.
    """
    config = psalm.config
    rules, first = psalm_rules(config.language_heads, config.vocabulary), base_rules(config.queries)
    theirs = read_checkpoint(directory)
    if unknown := [name for name in theirs if find_rule(first, name) is None]:
        raise WeightsError(f"{directory} has no part that a PSALM can begin with: {unknown[0]}?")
    official = {k: v for name in theirs for k, v in convert(first, name, theirs[name]).items()}
    shapes = {name: tuple(tensor.shape) for name, tensor in psalm.state_dict().items()}
    used = cover(rules, official, shapes).used
    parts = {ours.partition(".")[0] for names in used.values() for ours in names} & PARTS
    own = {name: shape for name, shape in shapes.items() if name.partition(".")[0] in parts}
    require_complete(cover(rules, official, own, [Fill(FRESH, "stays as it was")]), directory)
    ours = {k: v for name in official for k, v in convert(rules, name, official[name]).items()}
    return {name: tensor for name, tensor in ours.items() if name in own}
