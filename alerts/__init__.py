"""The clinical engine: frozen values and pure functions, standard library only, time passed in."""
