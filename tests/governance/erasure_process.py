"""Runs an order and kills itself at the given call or return in the code that removes."""

import os
import random
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from tests.governance.erasure_world import OMAR, World

_HERE = ("erasure/room.py", "erasure/removal.py", "erasure/spools.py")


def main(root: Path, order_id: str, kill_at: int) -> None:
    world = World(root, random.Random(0))
    passed = 0

    def count(frame: FrameType, event: str, _: Any) -> None:
        nonlocal passed
        if event in ("call", "return") and frame.f_code.co_filename.endswith(_HERE):
            passed += 1
            if passed == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    with world.open_journal() as journal:
        room = world.room(journal)
        sys.setprofile(count)
        room.run(OMAR, order_id)
        sys.setprofile(None)
    sys.stdout.write(str(passed))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
