# --- what NEURON is told of neurons


def draw(value, size: int) -> np.ndarray:
    """Return the initial value of each neuron."""
    return value.next(size) if isinstance(value, RandomDistribution) else np.broadcast_to(value, size)


def fires_at_once(parameters: dict, potential: np.ndarray, size: int) -> np.ndarray:
    """Say which neurons are still above threshold after the first step, without input."""
    decay = np.exp(-TIMESTEP / parameters["tau_m"])
    rest = parameters["v_rest"] + parameters["i_offset"] * parameters["tau_m"] / parameters["cm"]
    return np.broadcast_to(rest + (potential - rest) * decay >= parameters["v_thresh"], size)


def matched(parameters: dict) -> tuple[dict, dict]:
    """Return parameters, and factors of the weights, with which a step of NEURON's implicit Euler is NEST's exact one.

    Both steps are linear: with h the resolution, NEST's potential relative to rest becomes P22 V + P21 I_syn + P20 I_e
    (Rotter & Diesmann 1999), NEURON's (V + h/C (I_syn + I_e)) / (1 + h/tau_m).
    """
    h, tau_m, C = TIMESTEP, parameters["tau_m"], parameters["cm"]
    P22 = np.exp(-h / tau_m)
    P20 = tau_m / C * (1 - P22)
    theirs = h / C * P22
    changed = {"tau_m": h / (1 / P22 - 1), "i_offset": parameters["i_offset"] * P20 / theirs}
    factors = {"current": P20 / theirs}
    for receptor, key in (("excitatory", "tau_syn_E"), ("inhibitory", "tau_syn_I")):
        rates = 1 / parameters[key] - 1 / tau_m
        with np.errstate(invalid="ignore"):
            P21 = np.where(rates == 0, h / C * P22, (P22 - np.exp(-h / parameters[key])) / (C * rates))
        factors[receptor] = P21 / theirs
    return {**parameters, **changed}, factors
