"""Makes the dream known to Gymnasium: any run's, for any RL library.

    import gymnasium
    import wmframe.register

    envs = gymnasium.make_vec("wmframe/Dream-v0", num_envs=64, run="runs/latest")

or, without the second import, "wmframe.register:wmframe/Dream-v0". Gymnasium loads no plugins by itself since its
1.0, so one of the two is needed. Imports Gymnasium and nothing heavier; torch comes with the first dream.
All lanes share one batch; `vectorization_mode="async"` is slower, and hangs unless given
`vector_kwargs={"context": "spawn"}`, for torch's threads do not survive a fork.
"""

from gymnasium.envs.registration import register

register(
    id="wmframe/Dream-v0",
    entry_point="wmframe.agents.gymnasium_agents:dream_env",
    vector_entry_point="wmframe.agents.gymnasium_agents:dream_vector_env",
)
