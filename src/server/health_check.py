"""Health check of the API: it answers. It says so without the database too, whose absence no other task can mend."""

import sys
from urllib.request import urlopen

with urlopen("http://127.0.0.1:4200/api/health", timeout=5) as answer:
    sys.exit(answer.status != 200)
