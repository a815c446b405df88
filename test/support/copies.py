"""Copies a flow run, with its state, in the PostgreSQL of a Prefect server: `copies.py ADDRESS FLOW_RUN COUNT INFRASTRUCTURE`.

A copy names as its infrastructure what is given, followed by its own id, or nothing, and has been in its state for an hour.
Writes the ids of the copies to standard output, as JSON.
"""

import asyncio
import json
import sys

import asyncpg


async def main(address: str, run: str, count: str, infrastructure: str) -> None:
    database = await asyncpg.connect(f"postgresql://{address}")

    async def insert(table: str, source: str, **values: str) -> None:
        rows = await database.fetch(
            "select column_name from information_schema.columns where table_name = $1 and is_generated = 'NEVER'", table
        )
        columns = [row["column_name"] for row in rows]
        selected = ", ".join(values.get(column, f"source.{column}") for column in columns)
        await database.execute(f"insert into {table} ({', '.join(columns)}) select {selected} from copies, {source} as source")

    async with database.transaction():
        await database.execute(
            "create temp table copies on commit drop as"
            f" select gen_random_uuid() as run, gen_random_uuid() as state, number from generate_series(1, {int(count)}) as number"
        )
        original = f"(select * from flow_run where id = '{run}')"
        pid = f"'{infrastructure}' || copies.run" if infrastructure else "null"
        await insert("flow_run", original, id="copies.run", name="'copy-' || copies.number", idempotency_key="null", state_id="null", infrastructure_pid=pid)
        state = f"(select flow_run_state.* from flow_run_state join flow_run on flow_run.state_id = flow_run_state.id where flow_run.id = '{run}')"
        since = "source.timestamp - interval '1 hour'"
        await insert("flow_run_state", state, id="copies.state", flow_run_id="copies.run", timestamp=since)
        await database.execute("update flow_run set state_id = copies.state from copies where flow_run.id = copies.run")
        ids = [str(row["run"]) for row in await database.fetch("select run from copies")]
    await database.execute("analyze flow_run")
    await database.close()
    json.dump(ids, sys.stdout)


asyncio.run(main(*sys.argv[1:]))
