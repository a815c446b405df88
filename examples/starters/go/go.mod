module prefect-worker

go 1.25
