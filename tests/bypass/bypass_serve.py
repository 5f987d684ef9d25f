"""Plants the lake in HALOCLINE_HOME and serves it: the guard server, as the user who owns it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from halocline_governance import keys
from halocline_infra.cli import main

sys.path.insert(0, str(Path(__file__).parent))
from bypass_world import plant

os.environ["PLANTED"] = "kestrel-at-dawn"  # what an environment may hold
home = Path(os.environ["HALOCLINE_HOME"])
# A home that was there before, its door open: what the platform makes in it must close by itself.
home.mkdir(mode=0o755)
keys.ed25519(home / "keys" / "identity.key")
plant(home)
(home / "policy").mkdir(mode=0o700)
(home / "policy" / "firm.json").write_text('{"restricted_issuers": []}')
sys.argv[:] = ["halocline", "lake", "serve", "--port", "0"]
main()
