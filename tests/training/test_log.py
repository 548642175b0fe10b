"""The log of a training: torn lines are left out, and the window between two rows is kept."""

from pathlib import Path

import pytest
import torch

from vlseg_cli.training.log import LossMeter, RunLog, read_log

WHOLE = "step,stage,loss\r\n2,text,0.5\r\n4,text,0.25\r\n"


@pytest.mark.parametrize(
    "torn",
    [
        "6,te",
        "6,text,0.1",  # of 0.125, perhaps
        "6,text\r\n",
        "\0\0\0\0",
        "\0\0\0\r\n",
        "six,text,0.1\r\n",
        "\xff\xfe,\r\n",
    ],
)
def test_a_torn_line_is_left_out(tmp_path: Path, torn: str) -> None:
    file = tmp_path / "log.csv"
    file.write_bytes((WHOLE + torn).encode("latin-1"))
    assert [row["step"] for row in read_log(file)] == [2, 4]
    RunLog(tmp_path, step=2).close()
    assert [row["step"] for row in read_log(file)] == [2]


def test_a_log_without_a_line_is_empty(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("step,sta")
    assert read_log(tmp_path / "log.csv") == read_log(tmp_path / "none.csv") == []


def test_the_window_of_the_meter_survives_json_bit_by_bit() -> None:
    meter, other = LossMeter(), LossMeter()
    for value in (0.1, 0.7):
        meter.add({"loss": torch.tensor(value), "mask": torch.tensor(value / 3)})
    other.restore(meter.state(), torch.device("cpu"))
    for one in (meter, other):
        one.add({"loss": torch.tensor(0.3)})
    assert meter.pop_means() == other.pop_means()
    assert not meter.state()
