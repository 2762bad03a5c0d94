"""Lets the tests of the images import `image_files` from beside them, whichever way pytest was started."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
