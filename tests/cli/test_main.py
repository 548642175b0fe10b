"""The help imports next to nothing; every error of a user is one sentence and an exit code."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vlseg_cli import __version__
from vlseg_cli.cli.main import COMMANDS, DATA, JOBS, MAIN, SETUP, TALK, load

HEAVY = ["torch", "transformers", "numpy", "PIL", "scipy", "pycocotools", "av", "psutil"]


def imported_by(*words: str) -> list[str]:
    """Heavy packages that a command line imports in a fresh process."""
    program = (
        "import sys; from vlseg_cli.cli.main import main; main(sys.argv[2:])\n"
        "print(*(set(sys.argv[1].split()) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, " ".join(HEAVY), *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.split()


@pytest.mark.parametrize("words", [["--help"], [], ["--version"], ["-V"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    assert imported_by(*words) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_subcommand_never_imports_torch(name: str) -> None:
    assert not {"torch", "transformers"} & set(imported_by(name, "--help"))


def test_commands_are_listed_in_their_panels(vlseg) -> None:
    ran = vlseg("--help")
    assert ran.code == 0
    positions = [ran.out.index(f" {name} ") for name in COMMANDS]
    assert positions == sorted(positions)
    panels = [MAIN] * 7 + [TALK] + [DATA] * 3 + [JOBS] * 5 + [SETUP] * 2
    assert [entry.panel for entry in COMMANDS.values()] == panels


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_starts_with_its_line_in_the_list(vlseg, name: str) -> None:
    assert load(name).help.startswith(COMMANDS[name].help)
    ran = vlseg(name, "--help")
    assert ran.code == 0 and COMMANDS[name].help in ran.out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_has_two_examples_and_flags_without_a_type(vlseg, name: str) -> None:
    command = load(name)
    output = vlseg(name, "--help").out
    assert "bool" not in output
    if not hasattr(command, "commands"):
        assert command.help.count(f"vlseg {name}") >= 2


def test_short_names_of_options(vlseg, kitchen: Path) -> None:
    ran = vlseg("refer", "kitchen.png", "-t", "the sky", "-t", "the house", "-q", "--json")
    assert (ran.code, ran.err, len(ran.records)) == (0, "", 2)
    assert vlseg("-V").out == f"vlseg {__version__}\n"


def test_options_of_a_family_of_models_stand_apart(vlseg) -> None:
    section = vlseg("segment", "--help").out.split("─ Advanced ─")[1].split("╰")[0]
    assert all(f"--{name} " in section for name in ("proposals", "proposals-engine", "cache"))
    assert "--model " not in section


def test_version(vlseg) -> None:
    assert vlseg("--version").out == f"vlseg {__version__}\n"


def test_verbose_version_lists_the_packages(vlseg) -> None:
    ran = vlseg("--version", "--verbose")
    assert ran.code == 0 and ran.out.startswith(f"vlseg {__version__}\n")
    for name in ["Python", "torch", "transformers", "av"]:
        assert f"  {name}: " in ran.out


def test_verbose_alone_is_an_error(vlseg) -> None:
    ran = vlseg("--verbose")
    assert ran.code == 2 and ran.err.count("\n") == 1


def test_no_argument_prints_the_help(vlseg) -> None:
    ran = vlseg()
    assert ran.code == 0 and "Usage" in ran.out


WRONG = [
    (["segmnt"], 2, "did you mean 'segment'"),
    (["reason", "--modl", "x"], 2, "--model"),
    (["segment"], 2, "there is no input"),
    (["refer"], 2, "no input and no expression"),
    (["segment", "missing.png"], 4, "no file or folder 'missing.png'"),
    (["segment", "kitchn.png"], 4, "did you mean 'kitchen.png'?"),
    (["segment", "*.gif"], 4, "no images"),
    (["segment", "empty"], 4, "no images"),
    (["segment", "clip.mp4", "--start", "1:75"], 2, "write seconds, mm:ss"),
    (["segment", "clip.mp4", "--start", "5", "--end", "5"], 2, "--end is not after --start"),
    (["segment", "clip.mp4", "--stride", "0"], 2, "--stride"),
    (["segment", "kitchen.png", "--batch-size", "x"], 2, "or auto"),
    (["segment", "kitchen.png", "--shard", "4/4"], 2, "no shard 4"),
    (["segment", "kitchen.png", "--progress", "fast"], 2, "'lines'"),
    (["segment", "--prompts", "missing.csv"], 2, "cannot be opened"),
    (["segment", "--prompts", "kitchen.png"], 2, "kitchen.png, line 1: "),
    (["segment", "kitchen.png", "--prompts", "rows.csv"], 2, "contains its own inputs"),
    (["refer", "-t", "a cup", "--prompts", "rows.csv"], 2, "contains its own inputs"),
    (["plan"], 2, "missing argument"),
    (["export", "vlseg-out", "--to", "coco"], 2, "holds no job"),
    (["merge", "one", "two"], 2, "--out"),
    (["segment", "kitchen.png", "--task", "panoptik"], 2, "'panoptic', 'semantic', 'instance'"),
    (["segment", "kitchen.png", "--point", "12"], 2, "write x,y"),
    (["segment", "kitchen.png", "--box", "1,2,3"], 2, "write x0,y0,x1,y1"),
    (["segment", "kitchen.png", "--scribble", "1,2;3"], 2, "write x,y;x,y"),
    (["segment", "kitchen.png", "--point", "1,2", "--task", "semantic"], 2, "without --task"),
    (["segment", "kitchen.png", "--point", "1,2", "--categories", "cup"], 2, "--categories"),
    (["segment", "kitchen.png", "--categories", "cup;table"], 2, "with commas"),
    (["segment", "kitchen.png", "--categories", " , "], 2, "names nothing"),
    (["segment", "kitchen.png", "--save", "overlai"], 2, "did you mean 'overlay'?"),
    (["segment", "kitchen.png", "--save", "panoptic", "--task", "instance"], 2, "--save panoptic"),
    (["refer", "kitchen.png", "a cup", "--save", "panoptic"], 2, "--save panoptic"),
    (["detect", "kitchen.png", "--threshold", "1.5"], 2, "--threshold"),
    (["detect", "kitchen.png", "--out", "kitchen.png"], 2, "is a file"),
    (["detect", "kitchen.png", "--out", "kitchen.png/deeper"], 2, "cannot be made"),
    (["reason", "kitchen.png"], 2, "put the question last"),
    (["reason", "what is it?"], 2, "no input before"),
    (["reason", "kitchen.png", " "], 2, "is empty"),
    (["train", "missing.toml"], 2, "no recipe"),
    (["eval", "coco"], 2, "see 'vlseg eval --list'"),
    (["eval", "world", "--seeds", "12"], 2, "write a:b"),
    (["eval", "world", "--seeds", "5:5"], 2, "has no seeds"),
    (["world", "out", "--scenes", "9", "--seeds", "1:3"], 2, "fewer than 9"),
    (["world", "kitchen.png"], 2, "is a file"),
    (["reason", "http://a.org/b.png", "what flies?"], 4, "is a url; vlseg reads files alone"),
    (["detect", "kitchen.png", "--conf", "0.5"], 2, "did you mean --threshold?"),
    (["reason", "--question", "what flies?"], 2, "did you mean --text?"),
    (["refer", "kitchen.png", ""], 2, "is empty"),
    (["world", "out", "--seeds", f"0:{'9' * 5000}"], 2, "is not a range"),
    (["refer", "kitchen.png", "a \udcff cup"], 2, r"'a \udcff cup' is not utf-8"),
    (["detect", "kitchen.png", "--categories", "cup, \udcff"], 2, "is not utf-8"),
    (["detect", "kitchen.png", "--out", "o" * 5000], 2, "file name too long"),
    (["detect", "kitchen.png", "--model", "o" * 5000], 2, "file name too long"),
    (["status", "o" * 5000], 2, "file name too long"),
    (["train", "o" * 5000], 2, "file name too long"),
    (["data", "check", "o" * 5000], 2, "file name too long"),
]


@pytest.mark.parametrize(("words", "code", "sentence"), WRONG)
def test_errors_are_one_sentence(vlseg, kitchen: Path, words, code: int, sentence: str) -> None:
    (kitchen.parent / "empty").mkdir()
    (kitchen.parent / "clip.mp4").touch()
    ran = vlseg(*words)
    assert (ran.code, ran.out) == (code, "")
    assert sentence in ran.err.lower()
    assert ran.err.startswith("vlseg: ") and ran.err.count("\n") == 1


def test_debug_adds_the_traceback(vlseg) -> None:
    assert "Traceback" not in vlseg("segment", "missing.png").err
    assert "Traceback" in vlseg("segment", "missing.png", "--debug").err


def test_control_characters_in_file_names_are_escaped(vlseg) -> None:
    ran = vlseg("segment", "\x1b[2J\nx.png")
    assert "\x1b" not in ran.err and ran.err.count("\n") == 1


def test_ctrl_c_ends_with_130(tmp_path: Path) -> None:
    words = ["world", str(tmp_path / "out"), "--scenes", "100000"]
    drawing = subprocess.Popen(
        [sys.executable, "-m", "vlseg_cli", *words],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hear_ctrl_c,
    )
    while not (tmp_path / "out" / "images").exists():
        assert drawing.poll() is None
        time.sleep(0.02)
    drawing.send_signal(signal.SIGINT)
    _, output = drawing.communicate(timeout=60)
    assert (drawing.returncode, output) == (130, "")


def _hear_ctrl_c() -> None:
    """Tests that run behind a terminal, with ``&``, inherit that it is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of sh in which $vlseg is the command."""
    command = f"{sys.executable} -m vlseg_cli"
    return subprocess.run(
        ["sh", "-c", line.replace("$vlseg", command)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )


def test_a_pipe_without_a_reader_ends_the_help_without_a_message(tmp_path: Path) -> None:
    done = shell("{ $vlseg --help; echo $? >&2; } | true", tmp_path)
    assert done.stderr in ("0\n", "74\n")  # 0 where `true` lives longer than the help takes


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is full")
@pytest.mark.parametrize("words", ["--version", "--help", "weights list"])
def test_a_full_disk_behind_stdout_is_74(tmp_path: Path, words: str) -> None:
    done = shell(f"$vlseg {words} >/dev/full", tmp_path)
    assert done.returncode == 74
    assert "No space left on device" in done.stderr and done.stderr.count("\n") == 1


CLOSED = ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"]


@pytest.mark.parametrize("closed", CLOSED)
def test_a_job_needs_none_of_the_standard_streams(kitchen: Path, closed: str) -> None:
    words = "reason kitchen.png 'what flies?' --out out --save coco --json"
    done = shell(f"$vlseg {words} {closed}", kitchen.parent)
    assert (done.returncode, "Unexpected" in done.stderr) == (0, False)
    assert (kitchen.parent / "out" / "coco.json").stat().st_size > 100
    assert (done.stdout == "") == (">&-" in closed.replace("2>&-", ""))


def test_a_list_on_a_closed_stdin_is_empty(tmp_path: Path) -> None:
    done = shell("$vlseg detect - <&-", tmp_path)
    assert done.returncode == 4 and "no images or videos" in done.stderr


def test_python_dash_m_is_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vlseg_cli", "segmnt"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("vlseg: No such command 'segmnt'. Did you mean 'segment'?")


def test_a_closed_pipe_ends_a_job_without_a_message(kitchen: Path, tmp_path: Path) -> None:
    """As in ``vlseg … --json | head -1``: no traceback, no complaint, and the job can go on."""
    command = [sys.executable, "-m", "vlseg_cli", "segment", str(kitchen), "--json", "--quiet"]
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path / "out"), "--save", "coco"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 74
