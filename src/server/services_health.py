"""Health check of the background services, which listen nowhere: what is due in their queue has not been waiting for long."""

import os
import sys
import time

from redis import Redis
from redis.exceptions import RedisError

#: The longest that anything may be overdue. A service's turn takes seconds.
LONGEST_SECONDS = 120
#: Prefect gives the queue this name, whatever its settings say.
QUEUE = "prefect:queue"


def overdue_seconds() -> float:
    """How long what is due first has been due. Another task can't mend a Redis that is away, so that counts as nothing."""
    host, port = (os.environ[f"PREFECT_REDIS_MESSAGING_{name}"] for name in ("HOST", "PORT"))
    password = os.environ.get("PREFECT_REDIS_MESSAGING_PASSWORD")
    try:
        with Redis(host=host, port=int(port), db=1, password=password, ssl=True, socket_timeout=3, socket_connect_timeout=3) as redis:
            first = redis.zrange(QUEUE, 0, 0, withscores=True)
    except RedisError as error:
        print(f"Redis: {error}")
        return 0
    return time.time() - first[0][1] if first else 0


overdue = overdue_seconds()
print(f"overdue for {overdue:.0f} s")
sys.exit(overdue > LONGEST_SECONDS)
