"""The recipe of the bundled cabin model: what is said, by whom, over which noise, and how it is learnt."""
