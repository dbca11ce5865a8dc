"""Read more pictures than one machine can, from and to any store that fsspec knows, with Dask.

    python benchmarks/cluster.py scans/ answers/
    python benchmarks/cluster.py s3://scans/2026 s3://answers/2026 tcp://10.0.0.1:8786

The first begins two workers; the second uses those of a `dask scheduler`, each begun with
`PYTHONPATH=project dask worker tcp://10.0.0.1:8786 --nthreads 1`. What has an answer is left out.
"""

import json
import sys
import uuid
from pathlib import Path

import fsspec
from distributed import Client, LocalCluster, as_completed, get_worker
from pyarrow import Table, parquet

sys.path.insert(0, str(Path(__file__).parent.parent))

import digits
from digits.data.picture_folders import ENDINGS
from digits.streams import progress_bar

PART = 250  # pictures of a task, and of a Parquet file: photos of a gigabyte


def read_part(source: str, target: str, paths: list[str]) -> None:
    files, answers = (fsspec.url_to_fs(url)[0] for url in (source, target))
    worker = get_worker()
    if not hasattr(worker, "model"):
        worker.model = digits.load_model()
    readings = digits.read([files.cat_file(path) for path in paths], worker.model)
    texts, rest = zip(*((r.text, json.dumps(r.as_dict())) for r in readings), strict=True)
    name = f"{target}/{uuid.uuid4()}"
    with answers.open(name, "wb") as file:
        parquet.write_table(Table.from_pydict({"image": paths, "text": texts, "json": rest}), file)
    answers.mv(name, f"{name}.parquet")  # there as a whole, or not at all


def main() -> None:
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    source, target, scheduler = [*sys.argv[1:], None][:3]
    files, answers = (fsspec.url_to_fs(url)[0] for url in (source, target))
    answers.makedirs(target, exist_ok=True)
    written = [parquet.read_table(answers.open(f)) for f in answers.glob(f"{target}/*.parquet")]
    done = {path for table in written for path in table["image"].to_pylist()}
    paths = [p for p in files.find(source) if p not in done and Path(p).suffix.lower() in ENDINGS]
    workers = scheduler or LocalCluster(n_workers=2, threads_per_worker=1)
    with Client(workers) as client, progress_bar() as bar:
        parts = [paths[i : i + PART] for i in range(0, len(paths), PART)]
        tasks = [client.submit(read_part, source, target, part, pure=False) for part in parts]
        for task in bar.track(as_completed(tasks), len(tasks)):
            task.result()
    print(f"{len(paths)} pictures read, {len(done)} before")


if __name__ == "__main__":
    main()
