TITLE Leaky integrate-and-fire neuron whose potential jumps by the weight of each spike, exact on the grid

COMMENT
C dV/dt = -(C/tau_m) (V - E_L) + I_e + I_step, integrated exactly from step to step (Rotter & Diesmann 1999,
doi:10.1007/s004220050570). The potential jumps at the end of the step at whose beginning a spike is delivered: so the
delays of NetCons are one step less than those to the jumps. A neuron whose potential is at or above V_th after the jump
fires at that time, is reset, and stays at V_reset for t_ref, which counts in whole steps. What arrives meanwhile is
lost, or, with refractory_input, decays until the time is over, and the potential jumps then.
ENDCOMMENT

NEURON {
    POINT_PROCESS glia__mc_neurons__iaf_psc_delta__0
    RANGE C_m, tau_m, t_ref, E_L, V_th, V_reset, refractory_input, I_e, I_step, V_0, V_m
    RANGE arrived_ex, arrived_in, waiting
    RANGE P33, P30, steps_left, refractory_steps, U, sign
}

PARAMETER {
    C_m = 250 : pF
    tau_m = 10 (ms)
    t_ref = 2 (ms)
    E_L = -70 (mV)
    V_th = -55 (mV)
    V_reset = -70 (mV)
    refractory_input = 0 : 1: keep spikes that arrive while refractory
    I_e = 0 : pA
    I_step = 0 : pA, a current that is changed between two steps
    V_0 = -70 (mV) : potential at the start
}

ASSIGNED {
    dt (ms)
    V_m (mV)
    U : potential above E_L (mV)
    waiting : jump after the refractory time (mV)
    arrived_ex : weights of the spikes that arrive at the beginning of a step
    arrived_in
    P33
    P30
    refractory_steps
    steps_left : of the refractory time
    sign : changes with each spike
}

INITIAL {
    P33 = exp(-dt / tau_m)
    P30 = propagator_of_current()
    : a step that has begun counts; both are whole numbers of microseconds
    refractory_steps = ceil(floor(1000 * t_ref + 0.5) / floor(1000 * dt + 0.5))
    steps_left = 0
    U = V_0 - E_L
    V_m = V_0
    waiting = 0
    arrived_ex = 0
    arrived_in = 0
    sign = -1
    net_send(0, 1)
}

: tau_m / C_m (1 - exp(-dt / tau_m)), where nothing cancels.
FUNCTION propagator_of_current() {
    LOCAL x
    x = dt / (2 * tau_m)
    if (x > 1) {
        propagator_of_current = tau_m / C_m * (1 - exp(-2 * x))
    } else {
        propagator_of_current = tau_m / C_m * 2 * exp(-x) * sinh(x)
    }
}

BREAKPOINT {
    SOLVE advance METHOD after_cvode
}

PROCEDURE advance() {
    if (steps_left > 0) {
        if (refractory_input) {
            waiting = waiting + (arrived_ex + arrived_in) * exp(-steps_left * dt / tau_m)
        }
        steps_left = steps_left - 1
    } else {
        U = U * P33 + (I_e + I_step) * P30 + arrived_ex + arrived_in + waiting
        waiting = 0
    }
    arrived_ex = 0
    arrived_in = 0
    if (U >= V_th - E_L) {
        U = V_reset - E_L
        steps_left = refractory_steps
        sign = -sign
    }
    V_m = U + E_L
}

: flags: 0, a spike arrives; 1, the start; 2, this neuron has fired in the last step
NET_RECEIVE(weight) {
    if (flag == 0) {
        if (weight >= 0) {
            arrived_ex = arrived_ex + weight
        } else {
            arrived_in = arrived_in + weight
        }
    } else if (flag == 1) {
        WATCH (sign > 0) 2
        WATCH (sign < 0) 2
    } else {
        net_event(t)
    }
}
