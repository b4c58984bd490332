"""How the properties are run: the same examples every time, however slow the machine.

`NSISO_HYPOTHESIS=hunt pytest tests/unit/properties` looks at many more, and at others every time.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "nsiso",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("hunt", settings.get_profile("nsiso"), derandomize=False, max_examples=2000)
settings.load_profile(os.environ.get("NSISO_HYPOTHESIS", "nsiso"))
