"""What the tests run through, and what they do not.

    .venv/bin/python -m tests.coverage firmware     C: by folder, and what was never run or decided
    .venv/bin/python -m tests.coverage kit          Python: by folder, processes that it starts too

Words after the name go to pytest, to choose its tests.
"""
