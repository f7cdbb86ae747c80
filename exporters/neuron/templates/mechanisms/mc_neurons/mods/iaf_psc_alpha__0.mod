TITLE Leaky integrate-and-fire neuron with synaptic currents that follow an alpha function, exact on the grid

COMMENT
C dV/dt = -(C/tau_m) (V - E_L) + I_e + I_step + I_ex + I_in, integrated exactly from step to step (Rotter & Diesmann
1999, doi:10.1007/s004220050570). A spike with weight w evokes the current w (e s / tau_syn) exp(-s / tau_syn), s after
its arrival; with tau_syn_ex where w is at least 0, else with tau_syn_in. D_ex and D_in drive these currents. A neuron
whose potential is at or above V_th at the end of a step fires at that time, is reset, and stays at V_reset for t_ref,
which counts in whole steps.
ENDCOMMENT

NEURON {
    POINT_PROCESS glia__mc_neurons__iaf_psc_alpha__0
    RANGE C_m, tau_m, tau_syn_ex, tau_syn_in, t_ref, E_L, V_th, V_reset, I_e, I_step, V_0, V_m
    RANGE arrived_ex, arrived_in, I_ex, I_in, D_ex, D_in
    RANGE P33, P30, P11_ex, P31_ex, P32_ex, P11_in, P31_in, P32_in, steps_left, refractory_steps, U, sign
}

PARAMETER {
    C_m = 250 : pF
    tau_m = 10 (ms)
    tau_syn_ex = 2 (ms)
    tau_syn_in = 2 (ms)
    t_ref = 2 (ms)
    E_L = -70 (mV)
    V_th = -55 (mV)
    V_reset = -70 (mV)
    I_e = 0 : pA
    I_step = 0 : pA, a current that is changed between two steps
    V_0 = -70 (mV) : potential at the start
}

ASSIGNED {
    dt (ms)
    V_m (mV)
    U : potential above E_L (mV)
    I_ex
    I_in
    D_ex
    D_in
    arrived_ex : weights of the spikes that arrive at the beginning of a step
    arrived_in
    P33
    P30
    P11_ex
    P31_ex
    P32_ex
    P11_in
    P31_in
    P32_in
    refractory_steps
    steps_left : of the refractory time
    sign : changes with each spike
}

INITIAL {
    P33 = exp(-dt / tau_m)
    P30 = propagator_of_current()
    P11_ex = exp(-dt / tau_syn_ex)
    P11_in = exp(-dt / tau_syn_in)
    P31_ex = P31(tau_syn_ex)
    P31_in = P31(tau_syn_in)
    P32_ex = P32(tau_syn_ex)
    P32_in = P32(tau_syn_in)
    : a step that has begun counts; both are whole numbers of microseconds
    refractory_steps = ceil(floor(1000 * t_ref + 0.5) / floor(1000 * dt + 0.5))
    steps_left = 0
    U = V_0 - E_L
    V_m = V_0
    I_ex = 0
    I_in = 0
    D_ex = 0
    D_in = 0
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

: From current to potential: the difference of two exponentials over that of two rates. Where they are close, it is
: written so that nothing cancels, and that it has a limit when they are equal.
FUNCTION P32(tau_syn) {
    LOCAL x
    x = dt / 2 * (1 / tau_syn - 1 / tau_m)
    if (fabs(x) > 1) {
        P32 = (exp(-dt / tau_m) - exp(-dt / tau_syn)) / (C_m * (1 / tau_syn - 1 / tau_m))
    } else {
        P32 = dt / C_m * exp(-dt / 2 * (1 / tau_syn + 1 / tau_m))
        if (x != 0) {
            P32 = P32 * sinh(x) / x
        }
    }
}

: From what drives a current to the potential: (1 - exp(-x) (1 + x)) / x^2 of x = dt (1/tau_syn - 1/tau_m), times
: dt^2 exp(-dt/tau_m) / C_m. Near 0 it is a series, with the terms (k + 1) (-x)^k / (k + 2)!.
FUNCTION P31(tau_syn) {
    LOCAL x, k, term, sum
    x = dt * (1 / tau_syn - 1 / tau_m)
    if (fabs(x) > 1) {
        sum = (1 - exp(-x) * (1 + x)) / (x * x)
    } else {
        sum = 0
        term = 0.5
        k = 0
        while (k < 20) {
            sum = sum + (k + 1) * term
            k = k + 1
            term = -term * x / (k + 2)
        }
    }
    P31 = dt * dt / C_m * exp(-dt / tau_m) * sum
}

BREAKPOINT {
    SOLVE advance METHOD after_cvode
}

PROCEDURE advance() {
    D_ex = D_ex + exp(1) / tau_syn_ex * arrived_ex
    D_in = D_in + exp(1) / tau_syn_in * arrived_in
    arrived_ex = 0
    arrived_in = 0
    if (steps_left > 0) {
        steps_left = steps_left - 1
    } else {
        U = U * P33 + D_ex * P31_ex + I_ex * P32_ex + D_in * P31_in + I_in * P32_in + (I_e + I_step) * P30
    }
    I_ex = P11_ex * (I_ex + dt * D_ex)
    I_in = P11_in * (I_in + dt * D_in)
    D_ex = D_ex * P11_ex
    D_in = D_in * P11_in
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
