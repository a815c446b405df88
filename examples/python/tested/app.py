from aws_cdk import App
from worker_stack import WorkerStack

app = App()
WorkerStack(app, "Etl")
app.synth()
