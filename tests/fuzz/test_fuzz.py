"""The fuzzer for a while, from all workflows of this repository."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("atheris", reason="atheris is for Python below 3.14 on Linux x86-64")

REPOSITORY = Path(__file__).parents[2]
SECONDS = 300
LONGEST_INPUT_SECONDS = 60
LARGEST_SEED_BYTES = 20_000


@pytest.mark.nightly
@pytest.mark.timeout(SECONDS * 3)
def test_no_bytes_break_the_checker(tmp_path: Path) -> None:
    """Neither a crash, nor a hang, nor all the memory: any bytes in, a diagnosis or a plan out."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, file in enumerate(sorted((REPOSITORY / "workflows").rglob("*.yaml"))):
        if file.stat().st_size <= LARGEST_SEED_BYTES:
            (corpus / f"{number}-{file.name}").write_bytes(file.read_bytes())
    command = [sys.executable, str(Path(__file__).with_name("checker.py")), str(corpus)]
    limits = [f"-max_total_time={SECONDS}", f"-timeout={LONGEST_INPUT_SECONDS}", "-max_len=8000"]
    done = subprocess.run(
        [*command, *limits, f"-artifact_prefix={tmp_path}/"],
        cwd=REPOSITORY,
        check=False,
        capture_output=True,
        text=True,
    )
    broken = [file.read_bytes() for file in tmp_path.glob("crash-*")]
    assert done.returncode == 0, (done.stderr[-4000:], broken)
