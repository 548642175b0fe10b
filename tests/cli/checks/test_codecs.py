"""Codecs are tried, not read from a list."""

from vlseg_cli.cli.checks import CheckState
from vlseg_cli.cli.checks.codecs import codec_finding, codecs


def test_the_codecs_of_pyav_work() -> None:
    findings = {one.name: one for one in codecs()}
    assert list(findings) == ["H264", "HEVC", "VP9", "AV1", "GIF"]
    for one in findings.values():
        assert (one.state, one.found) == (CheckState.OK, "read, written")


def test_a_missing_codec_has_a_remedy() -> None:
    finding = codec_finding("no-such-codec")
    assert finding.state is CheckState.WARNING
    assert finding.found == "not read, not written"
    assert "av" in finding.remedy
