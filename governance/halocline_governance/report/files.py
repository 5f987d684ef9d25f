"""The files of a report: all of them, each whole, or none; and never in place of others."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

from halocline_governance import durable
from halocline_governance.errors import Refused

Files = Mapping[Path, bytes]
"""The bytes of each, all for one folder; the last is there only when all are."""


def free(files: Files) -> None:
    """Hold that nothing else is where the files will be.

    Raises:
        Refused: a file of that name is there that has other bytes, or cannot be read.
    """
    for path, data in files.items():
        try:
            is_other = path.read_bytes() != data
        except FileNotFoundError:
            continue
        except OSError as error:
            raise Refused(f"{path} cannot be read: {error.strerror}") from error
        if is_other:
            raise Refused(f"{path} is another file; move it, nothing is written over it")


def write(files: Files) -> None:
    """Write them, for their owner alone: beside where they belong and onto the disk, and only then
    to their names, in their order. Those that are there already are left.

    Raises:
        Refused: as `free`; or one cannot be written, and then none that was not there before is.
    """
    free(files)
    made: list[Path] = []
    path = folder = next(iter(files)).parent
    draft: Path | None = None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".report-", dir=folder))
        wanted = [path for path in files if not path.exists()]
        for path in wanted:
            durable.write(draft / path.name, files[path])
        for path in wanted:
            made.append(path)
            (draft / path.name).rename(path)
        durable.sync(folder)
    except OSError as error:
        for one in made:
            with suppress(OSError):
                one.unlink()
        raise Refused(
            f"{path} cannot be written: {error.strerror}. No file of this report was left there:"
            " make room, or see who may write to that folder, and build it again"
        ) from error
    finally:
        if draft is not None:
            rmtree(draft, ignore_errors=True)
