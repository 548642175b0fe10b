"""``vlseg export sam``: the graphs that ``--proposals-engine onnx`` runs."""

import json
from pathlib import Path

from vlseg_cli.models.proposals.options import export_folder
from vlseg_cli.weights.resolve import model_digest, model_folder


def export_graphs(model: str, out: Path | None, as_json: bool) -> None:
    """Carry out one command. Raises UsageError for a model without a SAM or without ``onnx``."""
    from vlseg_cli.models.proposals.carried_sam import load_sam  # brings torch
    from vlseg_cli.models.proposals.onnx_export import export_sam, require_onnx

    require_onnx()  # before weights are read for minutes
    directory = model_folder(model)
    digest, target = model_digest(directory), out or export_folder(model)
    export_sam(load_sam(directory), digest, target)
    if as_json:
        print(json.dumps({"model": model, "weights": digest, "out": str(target)}))
    else:
        print(f"Wrote the SAM of {model} to {target}.")
