"""Zip an artifact folder, the same bytes for the same files: python -m infra.artifact FOLDER."""

import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

READABLE_FILE = 0o100644 << 16
# botocore describes 400 services in data files and reads those of the clients that are made: these,
# in vitrina/aws.py. Unpacking the others is half of a cold start in the local cloud.
SERVICES = {"dynamodb", "secretsmanager", "sqs"}


def pack(folder: Path) -> Path:
    """Write FOLDER.zip beside the folder, and return its path."""
    target = folder.with_suffix(".zip")
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = file.relative_to(folder)
            if _describes_another_service(name):
                continue
            # A name alone is dated 1980, so that the hash is of the contents only.
            entry = ZipInfo(name.as_posix())
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = READABLE_FILE
            archive.writestr(entry, file.read_bytes())
    return target


def _describes_another_service(name: Path) -> bool:
    match name.parts:
        case ("botocore", "data", service, _, *_):
            return service not in SERVICES
        case _:
            return False


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
