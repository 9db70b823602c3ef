"""What is set up before anything runs: clients, the registry, pipelines, uploads, and putting them away."""
