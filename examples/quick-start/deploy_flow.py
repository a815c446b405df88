from prefect import flow

flow.from_source(
    source="https://github.com/prefecthq/demos.git",
    entrypoint="my_workflow.py:show_stars",
).deploy(name="first", work_pool_name="etl", parameters={"github_repos": ["PrefectHQ/prefect"]})
