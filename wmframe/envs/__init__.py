"""Environments: frames out, actions in; one `EnvSpec` per `env` YAML."""
