"""The embedded model: whether its files are here, and whether it sees what is in a drawn scene."""

import hashlib
from collections.abc import Iterator

from vlseg_cli.cli.checks.finding import Finding, broken
from vlseg_cli.schema import Ask, Categories, Frame, Task, WeightsError

_SEED, _SIZE = 900_000, 128  # of the scene: from the range that no training has seen
_MEND = "Install vlseg again; its package brings the weights with it."


def weights() -> Iterator[Finding]:
    """Size and hash of the weights, then an answer of the model itself."""
    from vlseg_cli.weights.folder import WEIGHTS
    from vlseg_cli.weights.resolve import EMBEDDED

    file = EMBEDDED / WEIGHTS
    if not file.is_file():
        yield broken("embedded", f"{file} is missing", _MEND)
        return
    data = file.read_bytes()
    yield Finding(
        "embedded", f"{len(data) / 1e6:.1f} MB, SHA-256 {hashlib.sha256(data).hexdigest()}"
    )
    yield _answer()


def _answer() -> Finding:
    from vlseg_cli.models.registry import load_model
    from vlseg_cli.worlds.draw import draw_scene

    try:
        model = load_model()
    except WeightsError as error:
        return broken("an answer", f"the model does not load ({error})", _MEND)
    scene = draw_scene(_SEED, _SIZE)
    prompt = Categories(model.categories, model.stuff)
    frame = Frame(scene.pixels, "a drawn scene")
    (prediction,) = model.answer(model.encode([frame]), [Ask(0, Task.PANOPTIC, prompt)])
    seen = {segment.label for segment in prediction.segments}
    there = {item.category for item in scene.items}
    found = f"sees {len(seen & there)} of {len(there)} kinds of things in a drawn scene"
    if not seen & there:
        return broken("an answer", found, _MEND)
    return Finding("an answer", found)
