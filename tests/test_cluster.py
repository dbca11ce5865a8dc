"""Pictures that Dask's workers read give the answers of the plain command."""

import json
import subprocess
import sys

import cv2
import pytest

from conftest import ROOT, drawn_seven


@pytest.mark.slow
def test_the_same_answers_and_what_has_one_is_left_out(tmp_path, script):
    parquet = pytest.importorskip("pyarrow.parquet")
    pytest.importorskip("distributed")
    (tmp_path / "scans/more").mkdir(parents=True)

    def read():
        command = [sys.executable, ROOT / "benchmarks/cluster.py", "scans", "answers"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    for i in range(20):
        cv2.imwrite(str(tmp_path / f"scans/{i}.png"), drawn_seven(thickness=4 + i))
    assert read().stdout == "20 pictures read, 0 before\n"
    (tmp_path / "scans/more/no.png").write_text("no picture")
    assert read().stdout == "1 pictures read, 20 before\n"
    (tmp_path / "answers/half").write_text("left by one that was killed")
    assert read().stdout == "0 pictures read, 21 before\n"
    read_here = script("load_model.py", "--json", "scans").stdout.splitlines()
    here = {line["image"]: line for line in map(json.loads, read_here)}
    rows = []
    for file in (tmp_path / "answers").glob("*.parquet"):
        rows += parquet.read_table(file).to_pylist()
    assert len(rows) == len(here) == 21
    for row in rows:
        there, same = json.loads(row["json"]), here[row["image"].removeprefix(f"{tmp_path}/")]
        assert there["digits"] == same["digits"] and there.get("error") == same.get("error")
        assert there["confidence"] == pytest.approx(same["confidence"], abs=1e-3)
