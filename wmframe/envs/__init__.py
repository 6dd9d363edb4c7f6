"""Environments: frames of 64×64 pixels out, actions in [-1, 1] in; one `EnvSpec` per `env` YAML."""
